/** NFS mount options for sealing, each with its reason. Doctor checks mounts against them, and prints them. */

export interface NfsOption {
  /** As written in fstab. */
  option: string;
  /** The default; need not be in fstab. */
  isDefault?: true;
  why: string;
  /** What is wrong with a mount's options as the kernel shows them; undefined if nothing. */
  wrong: (options: NfsOptions) => string | undefined;
  /** `fail`: work can be lost. */
  level: 'fail' | 'warn';
}

/** Options of a mount: `hard` → '', `timeo` → '600'. */
export type NfsOptions = ReadonlyMap<string, string>;

export const parseNfsOptions = (options: readonly string[]): NfsOptions =>
  new Map(options.map((text) => [text.split('=', 1)[0] ?? '', text.split('=').slice(1).join('=')]));

/** Tenths of a second (nfs(5)). */
const TIMEO = 600;
const RETRANS = 2;
const MIB = 1_048_576;
const MIN_TRANSFER = 65_536;
/** Hosts must see each other's files within a minute: an engine without visible progress for two is considered dead. */
const MAX_CACHE_S = 60;

const has =
  (...names: string[]) =>
  (options: NfsOptions): string | undefined =>
    names.find((name) => options.has(name));

const below =
  (name: string, min: number) =>
  (options: NfsOptions): string | undefined => {
    const value = options.get(name);
    return value !== undefined && Number(value) < min ? `${name}=${value}` : undefined;
  };

const above =
  (names: readonly string[], max: number) =>
  (options: NfsOptions): string | undefined => {
    const name = names.find((each) => Number(options.get(each) ?? 0) > max);
    return name && `${name}=${options.get(name)}`;
  };

const startsWith =
  (name: string, text: string) =>
  (options: NfsOptions): string | undefined => {
    const value = options.get(name);
    return value?.startsWith(text) ? `${name}=${value}` : undefined;
  };

export const NFS_OPTIONS: readonly NfsOption[] = [
  {
    option: 'hard',
    why: 'calls wait until the server is back; with soft they fail after minutes, and engine output is lost',
    wrong: has('soft', 'softerr'),
    level: 'fail',
  },
  {
    option: 'vers=3',
    why: 'the server keeps no state that a restart or a long outage could lose; vers=4.1 and 4.2 work too',
    wrong: startsWith('vers', '2'),
    level: 'fail',
  },
  {
    option: 'nolock',
    why: 'sealflow takes no locks on NFS, so no lockd is needed that could hang; no effect with vers=4',
    wrong: () => undefined,
    level: 'warn',
  },
  {
    option: 'proto=tcp',
    why: 'UDP corrupts data at these rates: fragment IDs wrap around',
    wrong: startsWith('proto', 'udp'),
    level: 'fail',
  },
  {
    option: `timeo=${TIMEO}`,
    why: 'tenths of a second: a server that writes ten layers may take a minute to answer, and retransmissions add load',
    wrong: below('timeo', TIMEO),
    level: 'warn',
  },
  {
    option: `retrans=${RETRANS}`,
    why: 'retransmissions before the kernel logs "not responding"; with hard it keeps retrying anyway',
    wrong: below('retrans', RETRANS),
    level: 'warn',
  },
  {
    option: `rsize=${MIB}`,
    why: 'P2 reads 400 GB: this takes a sixteenth of the calls that 64 KiB would',
    wrong: below('rsize', MIN_TRANSFER),
    level: 'warn',
  },
  {
    option: `wsize=${MIB}`,
    why: 'the same for writing',
    wrong: below('wsize', MIN_TRANSFER),
    level: 'warn',
  },
  {
    option: 'async',
    isDefault: true,
    why: 'writes are sent to the server in batches, and fsync waits for its disk; with sync every write does',
    wrong: has('sync'),
    level: 'warn',
  },
  {
    option: 'ac',
    isDefault: true,
    why: 'attributes are cached for up to a minute, which sealflow allows for; noac queries the server every time',
    wrong: has('noac'),
    level: 'warn',
  },
  {
    option: `acdirmax=${MAX_CACHE_S}`,
    isDefault: true,
    why: 'seconds, like acregmax: with more, a host sees changes of others too late and considers their engines dead',
    wrong: above(['acregmin', 'acregmax', 'acdirmin', 'acdirmax'], MAX_CACHE_S),
    level: 'fail',
  },
];
