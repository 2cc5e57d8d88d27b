/** `doctor --print-mounts`: the fstab lines of the hosts that mount the P1 host's disks. */
import { isIPv6 } from 'node:net';
import type { Config } from '../../config.js';
import { NFS_OPTIONS } from '../nfs-options.js';

/** Beside those of NFS itself. */
const OF_THE_SYSTEM: readonly (readonly [string, string])[] = [
  ['noatime', 'reading layers writes nothing'],
  ['_netdev', 'mounted when the network is up'],
  ['nofail', 'a host boots without its server too; its worker serves nothing until the directory is mounted'],
];

/** @param server name or address of the P1 host, as the others reach it */
export function printMounts({ localDir }: Pick<Config, 'localDir'>, server: string): string {
  const isV6 = isIPv6(server);
  const options = [
    ...NFS_OPTIONS.filter(({ isDefault }) => !isDefault).map(
      ({ option, why }) => [isV6 && option === 'proto=tcp' ? 'proto=tcp6' : option, why] as const,
    ),
    ...OF_THE_SYSTEM,
  ];
  const path = localDir.replaceAll(' ', '\\040');
  const host = isV6 ? `[${server}]` : server;
  return [
    '# /etc/fstab of the hosts of the group; storage nodes are mounted with the same options. Then: mount -a',
    ...options.map(([option, why]) => `#   ${option.padEnd(16)} ${why}`),
    '# Left at their defaults, and not to be changed:',
    ...NFS_OPTIONS.filter(({ isDefault }) => isDefault).map(
      ({ option, why }) => `#   ${option.padEnd(16)} ${why}`,
    ),
    `${host}:${path} ${path} nfs ${options.map(([option]) => option).join(',')} 0 0`,
  ].join('\n');
}
