/** Amounts as doctor writes them. */

/** `517.4 GB`: of 10^9 bytes, as disks are sold and `df -H` shows them. */
export function gigabytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes < 1e3) return `${bytes} B`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
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
