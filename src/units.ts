/** Amounts as people read them. GB = 10^9 bytes, as disks are sold. */
export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1)} GB`;

type Units = readonly (readonly [size: number, name: string])[];

/** The largest unit that a value reaches, or the smallest. */
const unitOf = (value: number, units: Units): readonly [number, string] =>
  units.find(([size]) => Math.abs(value) >= size) ?? units.at(-1) ?? [1, ''];

const inUnitsOfBytes = (count: number, units: Units): string => {
  const [size, name] = unitOf(count, units);
  return `${(count / size).toFixed(size === 1 ? 0 : 1)} ${name}`;
};

const DECIMAL: Units = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
  [1, 'B'],
];
const BINARY: Units = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
  [1, 'bytes'],
];
const TIME: Units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
  [1, 'ms'],
];

/** `34.4 GB`, `5.6 MB`, `17 B`: room on disks and rates of copies, which config.toml limits in MB = 10^6 bytes. */
export const amount = (count: number): string => inUnitsOfBytes(count, DECIMAL);

/** `32.0 GiB`, `232.0 KiB`, `17 bytes`: what files hold. */
export const bytes = (count: number): string => inUnitsOfBytes(count, BINARY);

/** `12 d`, `3.5 h`, `1.2 s` */
export function duration(ms: number): string {
  const [size, name] = unitOf(ms, TIME);
  return `${Number((ms / size).toFixed(1))} ${name}`;
}
