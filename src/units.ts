/** Amounts as people read them. GB = 10^9 bytes, as disks are sold. */
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1)} GB`;

/** `34.4 GB`, `5.6 MB`, `2.0 kB`, `17 B`: in the largest unit that it reaches. */
export function amount(bytes: number): string {
  const units: [number, string][] = [
    [1e12, 'TB'],
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ];
  const [size, name] = units.find(([unit]) => Math.abs(bytes) >= unit) ?? [1, 'B'];
  return `${(bytes / size).toFixed(size === 1 ? 0 : 1)} ${name}`;
}

/** `12 d`, `3.5 h`, `1.2 s`: in the largest unit that it reaches. */
export function duration(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ];
  const [size, name] = units.find(([unit]) => Math.abs(ms) >= unit) ?? [1, 'ms'];
  return `${Number((ms / size).toFixed(1))} ${name}`;
}
