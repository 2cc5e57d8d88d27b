/**
 * The proxy to Temporal. Only `grpc_proxy` names one, for commands and workers alike. `http_proxy` and `https_proxy` are
 * set on many machines for npm and cargo; gRPC's library for Node would use them, the SDK's core would not.
 */
import { UserError } from '../../user-error.js';
import { isLoopback } from './address.js';

export interface Proxy {
  /** The variable that names it. */
  variable: 'grpc_proxy';
  host: string;
  port: number;
  basicAuth?: { username: string; password: string };
}

/**
 * @param host of the Temporal frontend
 * @throws UserError when `grpc_proxy` names none
 */
export function proxyFor(host: string, env: NodeJS.ProcessEnv = process.env): Proxy | undefined {
  const given = env['grpc_proxy'];
  if (!given || isLoopback(host) || isExcluded(host, env['no_grpc_proxy'] || env['no_proxy'] || ''))
    return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol !== 'http:' || url.hostname === '')
    throw new UserError(`grpc_proxy: ${given} is no proxy`, {
      hint: 'it looks like http://proxy.example:3128',
    });
  const { username, password } = url;
  return {
    variable: 'grpc_proxy',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 80),
    ...(username && {
      basicAuth: { username: decodeURIComponent(username), password: decodeURIComponent(password) },
    }),
  };
}

/** As gRPC's library does it: the host or a domain that it is in. */
const isExcluded = (host: string, list: string): boolean =>
  list
    .split(',')
    .map((name) => name.trim())
    .some((name) => name !== '' && (host === name || host.endsWith(`.${name.replace(/^\./, '')}`)));
