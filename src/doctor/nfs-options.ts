/** Mount options of NFS that are right for sealing, each with its reason: doctor judges mounts by them, and prints them. */

export interface NfsOption {
  /** As in fstab. */
  option: string;
  /** It holds if nothing is said, and need not be in fstab. */
  isDefault?: true;
  why: string;
  /** What is wrong with the options of a mount, as the kernel tells them; undefined: nothing. */
  wrong: (options: NfsOptions) => string | undefined;
  /** `fail`: work can be lost by it. */
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
/** Hosts are thought to see each other's files within a minute: an engine that shows nothing for two is taken for dead. */
const LONGEST_CACHE_S = 60;

const has =
  (...names: string[]) =>
  (options: NfsOptions): string | undefined =>
    names.find((name) => options.has(name));

const below =
  (name: string, least: number) =>
  (options: NfsOptions): string | undefined => {
    const value = options.get(name);
    return value !== undefined && Number(value) < least ? `${name}=${value}` : undefined;
  };

const above =
  (names: readonly string[], most: number) =>
  (options: NfsOptions): string | undefined => {
    const name = names.find((each) => Number(options.get(each) ?? 0) > most);
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
    why: 'calls wait until the server is back; with soft they fail after minutes, and what an engine has written is gone',
    wrong: has('soft', 'softerr'),
    level: 'fail',
  },
  {
    option: 'vers=3',
    why: 'the server keeps no state that a restart or a long cut could lose; vers=4.1 and 4.2 work too',
    wrong: startsWith('vers', '2'),
    level: 'fail',
  },
  {
    option: 'nolock',
    why: 'sealflow takes no locks on NFS, so there is no lockd that could hang; says nothing with vers=4',
    wrong: () => undefined,
    level: 'warn',
  },
  {
    option: 'proto=tcp',
    why: 'UDP mixes up fragments at these rates',
    wrong: startsWith('proto', 'udp'),
    level: 'fail',
  },
  {
    option: `timeo=${TIMEO}`,
    why: 'tenths of a second: a server that writes ten layers may take a minute to answer, and asking again loads it more',
    wrong: below('timeo', TIMEO),
    level: 'warn',
  },
  {
    option: `retrans=${RETRANS}`,
    why: 'how often it asks again before the log says "not responding"; with hard it goes on all the same',
    wrong: below('retrans', RETRANS),
    level: 'warn',
  },
  {
    option: `rsize=${MIB}`,
    why: 'P2 reads 400 GB: a sixteenth of the calls that 64 KiB each would take',
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
    why: 'writes go to the server in bundles, and fsync waits for its disk; with sync each write does',
    wrong: has('sync'),
    level: 'warn',
  },
  {
    option: 'ac',
    isDefault: true,
    why: 'attributes are remembered for up to a minute, with which sealflow reckons; noac asks the server for each look',
    wrong: has('noac'),
    level: 'warn',
  },
  {
    option: `acdirmax=${LONGEST_CACHE_S}`,
    isDefault: true,
    why: 'seconds, as acregmax: with more a host sees the others too late, and takes their engines for dead',
    wrong: above(['acregmin', 'acregmax', 'acdirmin', 'acdirmax'], LONGEST_CACHE_S),
    level: 'fail',
  },
];
