/** Addresses of Temporal frontends: `temporal.example:7233`, `[::1]:7233`. */
import { isIP } from 'node:net';
import { UserError } from '../../user-error.js';

export interface HostPort {
  /** Without brackets. */
  host: string;
  port: number;
}

/**
 * @param source where it was given, as in `TEMPORAL_ADDRESS`
 * @throws UserError with the right form
 */
export function parseAddress(text: string, source: string): HostPort {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:/[\]\s]+)):([0-9]+)$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  const isAddress = host !== '' && (bracketed === undefined || isIP(bracketed) === 6);
  if (isAddress && port > 0 && port < 65_536) return { host, port };
  throw new UserError(
    `${source}: ${text === '' ? 'an empty text' : text} is no address of a Temporal frontend`,
    {
      hint: `${rightForm(text)}${/^https:/.test(text) ? '; TLS is set apart: TEMPORAL_TLS=true' : ''}`,
    },
  );
}

/** What was probably meant. */
function rightForm(text: string): string {
  const bare = text.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
  const [, ipv6 = '', port = ''] = /^(.+):([0-9]{4,5})$/.exec(bare) ?? [];
  if (isIP(ipv6) === 6) return `put the IPv6 address in brackets: [${ipv6}]:${port}`;
  if (isIP(bare) === 6) return `give host and port, like [${bare}]:7233`;
  if (/^[^:\s]+:[0-9]+$/.test(bare) && bare !== text) return `give host and port only: ${bare}`;
  if (/^[^:\s]+$/.test(bare)) return `give host and port: ${bare}:7233`;
  return 'give host and port, like temporal.example:7233';
}

/** Reached without a network: a proxy in between would look for it on its own machine. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
