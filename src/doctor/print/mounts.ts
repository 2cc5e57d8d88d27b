/** `doctor --print-mounts`: the fstab lines of the hosts that mount the P1 host's disks. */
import { isIPv6 } from 'node:net';
import type { Config } from '../../config.js';
import { NFS_OPTIONS } from '../nfs-options.js';

/** General mount options, in addition to those of NFS. */
const GENERAL_OPTIONS: readonly (readonly [string, string])[] = [
  ['noatime', 'reading layers causes no writes'],
  ['_netdev', 'mounted once the network is up'],
  [
    'nofail',
    'the host boots even without its server; its worker serves nothing until the directory is mounted',
  ],
];

/** @param server name or address at which the others reach the P1 host */
export function printMounts({ localDir }: Pick<Config, 'localDir'>, server: string): string {
  const isV6 = isIPv6(server);
  const options = [
    ...NFS_OPTIONS.filter(({ isDefault }) => !isDefault).map(
      ({ option, why }) => [isV6 && option === 'proto=tcp' ? 'proto=tcp6' : option, why] as const,
    ),
    ...GENERAL_OPTIONS,
  ];
  const path = localDir.replaceAll(' ', '\\040');
  const host = isV6 ? `[${server}]` : server;
  return [
    '# /etc/fstab of the hosts of the group; mount storage nodes with the same options. Then: mount -a',
    ...options.map(([option, why]) => `#   ${option.padEnd(16)} ${why}`),
    '# Keep these at their defaults:',
    ...NFS_OPTIONS.filter(({ isDefault }) => isDefault).map(
      ({ option, why }) => `#   ${option.padEnd(16)} ${why}`,
    ),
    `${host}:${path} ${path} nfs ${options.map(([option]) => option).join(',')} 0 0`,
  ].join('\n');
}
