/** Reads the kernel's mount table (proc_pid_mountinfo(5)). Does not access the mounts themselves. */
import { readFile } from 'node:fs/promises';
import { sep } from 'node:path';

export interface MountEntry {
  mountPoint: string;
  /** The directory within the file system that is mounted there; `/` except for a bind mount of a subdirectory. */
  root: string;
  /** `/dev/sda1`, `10.10.19.17:/sealer`, `tmpfs` */
  source: string;
  /** `ext4`, `nfs4`, `fuse.sshfs` */
  fsType: string;
  /** Options of the mount and of its file system: `rw`, `relatime`, `hard`, `timeo=600` */
  options: string[];
  /** `8:1`, as in `/sys/dev/block`; `0:…` if there is no block device. */
  device: string;
}

/** All mounts in this process' mount namespace, oldest first. */
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

/** Space, tab, newline and backslash are escaped in octal. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/**
 * The mount that holds a path: the last one that covers it, because a later mount hides earlier ones below it.
 * @param path absolute, without symbolic links
 */
export const mountOf = (path: string, table: readonly MountEntry[]): MountEntry | undefined =>
  table.findLast(
    ({ mountPoint }) => mountPoint === sep || path === mountPoint || path.startsWith(`${mountPoint}${sep}`),
  );

/** Mounts with the same identity show the same files, even if one was mounted after the other was unmounted. */
export const identityOf = ({ mountPoint, root, source, fsType }: MountEntry): string =>
  `${fsType} ${source}${root === sep ? '' : root} on ${mountPoint}`;

/** Whether the mount or its file system is read-only. */
export const isReadOnly = ({ options }: MountEntry): boolean => options.includes('ro');
