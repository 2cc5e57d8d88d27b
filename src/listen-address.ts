/** An address to listen at, as config.toml has it: `0.0.0.0:9090`, `:9090`, `localhost:9090`, `[::1]:9090`. */
import { isIP, isIPv4, isIPv6 } from 'node:net';

/** The SDK resolves no names, and takes no empty host. */
const HOSTS: Record<string, string> = { '': '0.0.0.0', localhost: '127.0.0.1' };

/** @returns `<IP address>:<port>`, of version 6 in brackets; undefined when the text is no such address */
export function listenAddress(text: string): string | undefined {
  const [, host = '', digits = ''] = /^(.*):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  // Nobody would find the port that 0 asks the system for.
  if (digits === '' || port < 1 || port > 65_535) return undefined;
  const address = HOSTS[host.toLowerCase()] ?? host;
  const inBrackets = /^\[(.*)\]$/.exec(address)?.[1];
  const ip = inBrackets ?? address;
  // A zone (`fe80::1%eth0`) is nothing that the SDK can read.
  if (isIP(ip) === 0 || ip.includes('%')) return undefined;
  if (inBrackets === undefined ? !isIPv4(ip) : !isIPv6(ip)) return undefined;
  return `${address}:${port}`;
}
