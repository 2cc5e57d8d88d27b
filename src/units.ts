import prettyBytes from 'pretty-bytes';

/** Amounts as people read them: `34.4 GB`, `0.3 GB`; of test sizes `264 MB`, `30.7 kB`. GB = 10^9 bytes, as disks are sold. */
export const gigabytes = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : amount(bytes);

export const DAY_MS = 86_400_000;

const TIME: readonly (readonly [ms: number, name: string])[] = [
  [DAY_MS, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
  [1, 'ms'],
];

/** `34.4 GB`, `5.6 MB`, `17 B`: room on disks and rates of copies, which config.toml limits in MB = 10^6 bytes. */
export const amount = (count: number): string => prettyBytes(count);

/** `32 GiB`, `232 KiB`, `17 B`: what files hold. */
export const bytes = (count: number): string =>
  prettyBytes(count, { binary: true, maximumFractionDigits: 1 });

/** `12 d`, `3.5 h`, `1.2 s` */
export function duration(ms: number): string {
  const [size, name] = TIME.find(([least]) => Math.abs(ms) >= least) ?? [1, 'ms'];
  return `${Number((ms / size).toFixed(1))} ${name}`;
}

/** The same in hours from one hour on, as deadlines are told that are compared: `29.3 h`. */
export const hours = (ms: number): string =>
  Math.abs(ms) < 3_600_000 ? duration(ms) : `${Number((ms / 3_600_000).toFixed(1))} h`;

/** A moment as people read it, in UTC as in the log: `14:03Z`, of another day `2026-11-28 14:03Z`. */
export function sinceText(moment: Date, now = new Date()): string {
  const [day = '', time = ''] = moment.toISOString().split('T');
  const today = now.toISOString().startsWith(day);
  return `${today ? '' : `${day} `}${time.slice(0, 5)}Z`;
}
