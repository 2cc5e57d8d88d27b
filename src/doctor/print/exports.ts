/** `doctor --print-exports`: the line with which the P1 host exports its disks to the other hosts of the group. */
import type { Config } from '../../config.js';

export interface ExportOptions {
  /** Network or host of the clients: `10.10.10.0/24`. */
  clients: string;
  /** Mount point of local_dir's file system; `/` if it is not mounted. */
  mountPoint: string;
  /** Whether the workers run as root; if not, root of other hosts needs no access. */
  asRoot: boolean;
}

export function printExports(
  { localDir }: Pick<Config, 'localDir'>,
  { clients, mountPoint, asRoot }: ExportOptions,
): string {
  const reasons: [string, string][] = [
    ['rw', 'all phases write into their own attempt directories'],
    ['sync', 'acknowledged writes are on disk: layers that P1 has recorded survive a power cut'],
    [
      'no_subtree_check',
      'directories are renamed while files in them are open, which the subtree check would reject',
    ],
    [
      [localDir, '/'].includes(mountPoint) ? 'mp' : `mp=${mountPoint}`,
      'exported only while mounted: never the system disk underneath',
    ],
    asRoot
      ? ['no_root_squash', 'the workers run as root']
      : ['root_squash', 'the workers run as the same numeric user on all hosts and do not need root'],
  ];
  return [
    `# /etc/exports of the P1 host; then: exportfs -ra`,
    ...reasons.map(([option, why]) => `#   ${option.padEnd(16)} ${why}`),
    `${quoted(localDir)} ${clients}(${reasons.map(([option]) => option).join(',')})`,
  ].join('\n');
}

/** exports(5): names with spaces are quoted. */
const quoted = (path: string): string => (/\s/.test(path) ? `"${path}"` : path);
