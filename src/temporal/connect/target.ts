/** The Temporal server to connect to, from configuration, environment and profile. */
import type { ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { UserError } from '../../user-error.js';
import { parseAddress } from './address.js';
import { proxyFor, type Proxy } from './proxy.js';

export type Tls = NonNullable<NativeConnectionOptions['tls']>;

export interface Target {
  /** `host:port` */
  address: string;
  host: string;
  port: number;
  namespace: string;
  /** Absent: without TLS. `true`: with the certificates of well-known authorities. */
  tls?: Tls;
  apiKey?: string;
  metadata?: Record<string, string>;
  proxy?: Proxy;
}

const DEFAULT_ADDRESS = 'localhost:7233';
/** In ms; a server that does not answer within this time counts as unreachable. */
export const ANSWER_MS = 3_000;

export interface Given {
  /** Of the command line; it overrides all else. */
  address?: string | undefined;
  /** Of config.toml; `https` means TLS. */
  schedulerUrl?: string | undefined;
}

/**
 * The command line overrides `TEMPORAL_*` variables, these the profile in temporal.toml, and that `scheduler_url`.
 * @throws UserError when an address has the wrong form, or the profile or a file that it names cannot be read
 */
export function targetOf({ address: given, schedulerUrl }: Given = {}): Target {
  const { connectionOptions, namespace = 'default' } = readProfile();
  const url = schedulerUrl === undefined ? undefined : new URL(schedulerUrl);
  const [source, address] = addressFrom(given, connectionOptions.address, url);
  const { host, port } = parseAddress(address, source);
  const { apiKey, metadata } = connectionOptions;
  // As the SDK: an API key goes over TLS, unless told otherwise.
  const tls = connectionOptions.tls ?? (url ? url.protocol === 'https:' : apiKey !== undefined);
  const proxy = proxyFor(host);
  return {
    address,
    host,
    port,
    namespace,
    ...(tls && { tls }),
    ...(typeof apiKey === 'string' && { apiKey }),
    ...(metadata && { metadata: metadata as Record<string, string> }),
    ...(proxy && { proxy }),
  };
}

/** A server known only by its address: the embedded one. */
export function targetAt(address: string, namespace = 'default'): Target {
  const { host, port } = parseAddress(address, 'address');
  return { address, host, port, namespace };
}

/** For commands and the orchestrator. */
export function clientOptions({ address, tls = false, apiKey, metadata, proxy }: Target): ConnectionOptions {
  return {
    address,
    tls,
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata && { metadata }),
    // gRPC's library would otherwise take any proxy that a variable names, for loopback too.
    channelArgs: { 'grpc.enable_http_proxy': proxy ? 1 : 0 },
  };
}

/** For workers and the orchestrator. */
export function nativeOptions({
  address,
  tls = false,
  apiKey,
  metadata,
  proxy,
}: Target): NativeConnectionOptions {
  return {
    address,
    tls,
    ...(apiKey !== undefined && { apiKey }),
    ...(metadata && { metadata }),
    ...(proxy && {
      proxy: {
        type: 'http-connect',
        targetHost: `${proxy.host.includes(':') ? `[${proxy.host}]` : proxy.host}:${proxy.port}`,
        ...(proxy.basicAuth && { basicAuth: proxy.basicAuth }),
      },
    }),
  };
}

function readProfile(): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig();
  } catch (error) {
    throw new UserError(`cannot read Temporal's settings: ${(error as Error).message}`, {
      hint: 'they are the TEMPORAL_* variables, and the profile in temporal.toml (TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE)',
      cause: error,
    });
  }
}

/** @returns where it comes from, and the address */
function addressFrom(
  given: string | undefined,
  profile: string | undefined,
  url: URL | undefined,
): [string, string] {
  if (given !== undefined) return ['--address', given];
  const variable = process.env['TEMPORAL_ADDRESS'];
  if (profile !== undefined)
    return [profile === variable ? 'TEMPORAL_ADDRESS' : 'address in temporal.toml', profile];
  if (url) return ['scheduler_url', hostPort(url)];
  return ['address', DEFAULT_ADDRESS];
}

// URL drops the scheme's default port.
const hostPort = ({ protocol, hostname, port }: URL): string =>
  `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
