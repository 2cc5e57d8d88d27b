/** The Temporal server's address, from configuration and environment. */
import { connect as connectSocket } from 'node:net';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { UserError } from '../../user-error.js';

export interface Target {
  address: string;
  namespace: string;
  /** For both Connection and NativeConnection. */
  options: { address: string; tls?: object | boolean; apiKey?: string; metadata?: Record<string, string> };
}

const DEFAULT_ADDRESS = 'localhost:7233';
/** In ms; a server that does not answer within this time counts as unreachable. */
export const ANSWER_MS = 3_000;

/**
 * The server to connect to: `TEMPORAL_*` variables and the profile in temporal.toml override `scheduler_url` (`https`
 * means TLS).
 * @throws UserError when the profile cannot be read.
 */
export function targetOf(schedulerUrl?: string): Target {
  let profile;
  try {
    profile = loadClientConnectConfig();
  } catch (error) {
    throw new UserError(`cannot read Temporal's profile: ${(error as Error).message}`);
  }
  const url = schedulerUrl === undefined ? undefined : new URL(schedulerUrl);
  const { connectionOptions, namespace = 'default' } = profile;
  const address = connectionOptions.address ?? (url ? hostPort(url) : DEFAULT_ADDRESS);
  const tls = connectionOptions.tls ?? (url?.protocol === 'https:' ? true : undefined);
  return { address, namespace, options: { ...connectionOptions, address, tls } as Target['options'] };
}

/** A server known only by its address: the embedded one. */
export const targetAt = (address: string, namespace = 'default'): Target => ({
  address,
  namespace,
  options: { address },
});

// URL drops the scheme's default port.
const hostPort = ({ protocol, hostname, port }: URL): string =>
  `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;

/** The error to report for a failed connection. */
export async function noServer({ address }: Target, cause: unknown): Promise<UserError> {
  if (await answersHttp(address)) {
    return new UserError(`${address} answers HTTP, but not Temporal's gRPC: is it the old scheduler?`, {
      hint: 'set scheduler_url (or TEMPORAL_ADDRESS) to the Temporal frontend, usually port 7233',
    });
  }
  return new UserError(`no Temporal server answers at ${address}`, {
    exitCode: 1,
    hint: 'start one, or set TEMPORAL_ADDRESS',
    cause,
  });
}

/** Whether the address speaks HTTP/1. A gRPC server answers such a request with HTTP/2 frames, or not at all. */
export async function answersHttp(address: string): Promise<boolean> {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:([0-9]+)$/.exec(address) ?? [];
  return await new Promise((resolve) => {
    const socket = connectSocket({ host, port: Number(port), timeout: ANSWER_MS });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () =>
      socket.write(`GET / HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`),
    );
    socket.once('data', (data) => end(data.toString('latin1').startsWith('HTTP/1.')));
    for (const event of ['error', 'timeout', 'close'] as const) socket.once(event, () => end(false));
  });
}
