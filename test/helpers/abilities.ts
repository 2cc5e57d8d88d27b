/** What a test needs of the machine beside Node: a machine that lacks it skips the test and logs why, once. */
import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './commands.js';

/** What the kernel and this user must be able to do; each is tried, as root of a container may be refused it. */
const ABILITIES = {
  /** Own network namespaces, linked by a bridge. */
  network: {
    programs: { ip: 'iproute2', iptables: 'iptables', nsenter: 'util-linux', unshare: 'util-linux' },
    try: () =>
      run(
        ...(['unshare', '--net', '--mount', 'sh', '-ec'] as const),
        'ip link add sfa type veth peer name sfb; ip link add sfc type bridge; iptables -I INPUT -j DROP',
      ),
  },
  /** Traffic that is limited by what it is. */
  traffic: {
    programs: { ip: 'iproute2', tc: 'iproute2', unshare: 'util-linux' },
    try: () =>
      run(
        ...(['unshare', '--net', 'sh', '-ec'] as const),
        'tc qdisc add dev lo root handle 1: htb; tc filter add dev lo parent 1: protocol ip u32 match ip sport 1 0xffff',
      ),
  },
  /** Mounts that this user makes and takes away. */
  mount: {
    programs: { mount: 'mount', umount: 'mount', mountpoint: 'util-linux', unshare: 'util-linux' },
    try: () => run('unshare', '--mount', 'sh', '-ec', 'mount -t tmpfs none /mnt'),
  },
  /** A file as a disk. */
  disk: {
    programs: {
      mount: 'mount',
      umount: 'mount',
      mountpoint: 'util-linux',
      losetup: 'mount',
      'mkfs.ext4': 'e2fsprogs',
    },
    try: () => run('losetup', '--find'),
  },
  /** A directory seen through sshfs. */
  sshfs: {
    programs: {
      sshfs: 'sshfs',
      fusermount3: 'fuse3',
      sshd: 'openssh-server',
      'ssh-keygen': 'openssh-client',
      'ssh-keyscan': 'openssh-client',
      mountpoint: 'util-linux',
    },
    try: async () => (await open('/dev/fuse', 'r+')).close(),
  },
} as const;

export type Ability = keyof typeof ABILITIES;

/**
 * Looks for what a test file needs, and logs what is missing.
 * @returns whether the tests are to be skipped: `describe.skipIf(await lacks('mount'))`
 */
export async function lacks(...needed: Ability[]): Promise<boolean> {
  const reason = await missing(needed);
  if (reason) console.log(`skipped, for they need ${needed.join(', ')}: ${reason}`);
  return reason !== undefined;
}

async function missing(needed: readonly Ability[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root can do that';
  const programs = Object.assign({}, ...needed.map((ability) => ABILITIES[ability].programs)) as Record<
    string,
    string
  >;
  const absent = await absentOf(Object.keys(programs));
  if (absent.length > 0) {
    const packages = new Set(absent.map((program) => programs[program]));
    return `no ${absent.join(', ')} here (apt-get install ${[...packages].join(' ')})`;
  }
  for (const ability of needed) {
    const error = await ABILITIES[ability].try().then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    if (error) return `this machine refuses ${ability}: ${error.message}`;
  }
  return undefined;
}

async function absentOf(programs: readonly string[]): Promise<string[]> {
  const directories = (process.env.PATH ?? '').split(delimiter);
  const found = await Promise.all(
    programs.map(async (program) => {
      const tries = directories.map((directory) => access(join(directory, program), constants.X_OK));
      return await Promise.any(tries).then(
        () => true,
        () => false,
      );
    }),
  );
  return programs.filter((_, i) => !found[i]);
}
