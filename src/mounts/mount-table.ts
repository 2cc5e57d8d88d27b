/** What is mounted where, as the kernel tells it (proc_pid_mountinfo(5)). Reading it asks nothing of any mount. */
import { readFile } from 'node:fs/promises';
import { sep } from 'node:path';

export interface MountEntry {
  mountPoint: string;
  /** Directory of the file system that is mounted there; `/` unless a part of it is bound. */
  root: string;
  /** `/dev/sda1`, `10.10.19.17:/sealer`, `tmpfs` */
  source: string;
  /** `ext4`, `nfs4`, `fuse.sshfs` */
  fsType: string;
  /** Of the mount and of the file system: `rw`, `relatime`, `hard`, `timeo=600` */
  options: string[];
  /** `8:1`, as below `/sys/dev/block`; `0:…` for what has no device of its own. */
  device: string;
}

/** All mounts of this process' namespace, in the order in which they were made. */
export const readMountTable = async (): Promise<MountEntry[]> =>
  parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'));

export const parseMountTable = (text: string): MountEntry[] =>
  text.split('\n').filter(Boolean).map(parseLine);

function parseLine(line: string): MountEntry {
  // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
  const [own = '', fileSystem = ''] = line.split(' - ', 2);
  const [, , device = '', root = '', mountPoint = '', options = ''] = own.split(' ');
  const [fsType = '', source = '', superOptions = ''] = fileSystem.split(' ');
  return {
    mountPoint: unescape(mountPoint),
    root: unescape(root),
    source: unescape(source),
    fsType,
    options: [...new Set([...options.split(','), ...superOptions.split(',')])],
    device,
  };
}

/** Space, tab, newline and backslash are written in octal. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/**
 * The mount that a path lies on: the last one that covers it, since a later one hides what was mounted below it before.
 * @param path absolute, without symbolic links
 */
export const mountOf = (path: string, table: readonly MountEntry[]): MountEntry | undefined =>
  table.findLast(
    ({ mountPoint }) => mountPoint === sep || path === mountPoint || path.startsWith(`${mountPoint}${sep}`),
  );

/** Two mounts with the same of this show the same files, also when one was made after the other was taken away. */
export const identityOf = ({ mountPoint, root, source, fsType }: MountEntry): string =>
  `${fsType} ${source}${root === sep ? '' : root} on ${mountPoint}`;

/** With `ro` of the mount or of its file system nothing can be written. */
export const isReadOnly = ({ options }: MountEntry): boolean => options.includes('ro');
