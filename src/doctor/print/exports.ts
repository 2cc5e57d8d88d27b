/** `doctor --print-exports`: how the P1 host gives its disks to the other hosts of the group. */
import type { Config } from '../../config.js';

export interface ExportOptions {
  /** Network or host of the others: `10.10.10.0/24`. */
  clients: string;
  /** Where the file system of local_dir is mounted; `/` while it is not. */
  mountPoint: string;
  /** Whether the workers run as root: else root of another host has no business there. */
  asRoot: boolean;
}

export function printExports(
  { localDir }: Pick<Config, 'localDir'>,
  { clients, mountPoint, asRoot }: ExportOptions,
): string {
  const reasons: [string, string][] = [
    ['rw', 'all phases write into their own attempt directories'],
    [
      'sync',
      'what the server calls written is on disk: the layers that P1 has recorded count after a power cut',
    ],
    [
      'no_subtree_check',
      'directories are renamed while files in them are open, which the check would refuse',
    ],
    [
      [localDir, '/'].includes(mountPoint) ? 'mp' : `mp=${mountPoint}`,
      'exported only while something is mounted there: never the system disk below',
    ],
    asRoot
      ? ['no_root_squash', 'the workers run as root']
      : ['root_squash', 'the workers run as one numeric user on all hosts, and need no root'],
  ];
  return [
    `# /etc/exports of the P1 host; then: exportfs -ra`,
    ...reasons.map(([option, why]) => `#   ${option.padEnd(16)} ${why}`),
    `${quoted(localDir)} ${clients}(${reasons.map(([option]) => option).join(',')})`,
  ].join('\n');
}

/** exports(5): names with spaces stand in quotes. */
const quoted = (path: string): string => (/\s/.test(path) ? `"${path}"` : path);
