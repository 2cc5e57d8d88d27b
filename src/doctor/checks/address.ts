/** `ip` of config.toml: the name by which hosts of a group tell each other apart. */
import { BlockList, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { ok, warn, type Verdict } from '../finding.js';

type Interfaces = Readonly<Record<string, Pick<NetworkInterfaceInfo, 'address' | 'family'>[] | undefined>>;

/** @param interfaces of this host, as `os.networkInterfaces()` gives them */
export function judgeAddress(ip: string, interfaces: Interfaces): Verdict {
  const [name] =
    Object.entries(interfaces).find(([, addresses]) => addresses?.some((own) => isSame(own, ip))) ?? [];
  if (name !== undefined) return ok(`${ip} (${name})`);
  if (ip.startsWith('127.')) return ok(`${ip} (loopback)`);
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const found = all.map(({ address }) => address).filter((address) => !address.startsWith('fe80:'));
  return warn(
    `ip = "${ip}" is no address of this host (${found.join(' ')})`,
    'an address of this host, other than those of all other hosts: two with one ip take each other for themselves',
    'correct ip in config.toml; behind NAT, or in a container with a network of its own, it may be right as it is',
  );
}

/** Addresses of version 6 have several spellings. */
function isSame({ address, family }: Pick<NetworkInterfaceInfo, 'address' | 'family'>, ip: string): boolean {
  if (address === ip) return true;
  if (family !== 'IPv6' || !isIPv6(ip)) return false;
  const one = new BlockList();
  one.addAddress(address.split('%')[0] as string, 'ipv6');
  return one.check(ip, 'ipv6');
}
