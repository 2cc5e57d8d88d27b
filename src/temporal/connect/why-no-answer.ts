/** Why a connection to Temporal fails, as one line with the cause and one with the mend. */
import { UserError } from '../../user-error.js';
import { GRPC } from '../embedded/grpc.js';
import { whatListens, type Certificate, type Listener } from './listener.js';
import type { Proxy } from './proxy.js';
import type { Target } from './target.js';

/**
 * @param error of the failed connection; only what the server itself said counts, the rest is found out anew
 * @returns exit code 2 where the settings of this host, or the address, are wrong; 1 where the server or the network is
 */
export async function whyNoAnswer(target: Target, error: unknown): Promise<UserError> {
  const refusal = refusalOf(target, error);
  if (refusal) return refusal;
  const {
    message,
    exitCode = 1,
    hint,
  } = target.proxy
    ? await throughProxy(target, target.proxy)
    : explain(target, await whatListens(target), error);
  return new UserError(message, { exitCode, hint, cause: error });
}

interface Explanation {
  message: string;
  hint: string;
  exitCode?: 1 | 2;
}

/** What the server has said in gRPC's terms. */
function refusalOf({ address, namespace, apiKey }: Target, error: unknown): UserError | undefined {
  const { code, details } = statusOf(error);
  if (code === GRPC.unauthenticated) {
    return new UserError(
      `${address} ${apiKey === undefined ? 'demands an API key' : 'refuses the API key'}: ${details}`,
      {
        hint: 'set TEMPORAL_API_KEY, or api_key in the profile; or the client certificate that the server knows',
        cause: error,
      },
    );
  }
  if (code === GRPC.permissionDenied) {
    return new UserError(`${address} gives no access to namespace ${namespace}: ${details}`, {
      hint: 'use the API key or the client certificate of somebody who may, or another TEMPORAL_NAMESPACE',
      cause: error,
    });
  }
  if (code === GRPC.unimplemented) {
    return new UserError(`${address} answers HTTP/2, but is not Temporal: ${details}`, {
      hint: WRONG_PLACE,
      cause: error,
    });
  }
  return undefined;
}

/** Of gRPC's own errors, bare or as the cause of the SDK's. */
function statusOf(error: unknown): { code?: number; details?: string } {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, details } = at as { code?: unknown; details?: unknown };
    if (typeof code === 'number' && typeof details === 'string') return { code, details };
  }
  return {};
}

const WRONG_PLACE = 'set scheduler_url (or TEMPORAL_ADDRESS) to the Temporal frontend, usually port 7233';

function explain(target: Target, listener: Listener, error: unknown): Explanation {
  const { address } = target;
  const silence = `no Temporal server answers at ${address}`;
  switch (listener.kind) {
    case 'unreachable':
      return {
        message: `${silence}: ${UNREACHABLE[listener.code] ?? listener.code}`,
        hint: mendOf(listener.code),
      };
    case 'silent':
      return {
        message: `${silence}: it accepts connections and says nothing`,
        hint: 'look at its log; a firewall or a proxy in between?',
      };
    case 'closed':
      return {
        message: `${silence}: it ends each connection at once`,
        hint: target.tls
          ? 'look at its log: it may not accept the client certificate'
          : 'look at its log: is it still starting?',
      };
    case 'http1':
      return {
        message: `${address} answers HTTP, but not Temporal's gRPC: is it the old scheduler?`,
        hint: WRONG_PLACE,
        exitCode: 2,
      };
    case 'tls':
      return {
        message: `${address} expects TLS, and none is set here`,
        hint: 'set TEMPORAL_TLS=true (or https in scheduler_url), and TEMPORAL_TLS_SERVER_CA_CERT_PATH for a certificate authority of your own',
        exitCode: 2,
      };
    case 'plain':
      return {
        message: `${address} speaks no TLS, which is set here`,
        hint: 'write http in scheduler_url, or TEMPORAL_TLS=false; and take tls out of the profile in temporal.toml',
        exitCode: 2,
      };
    case 'untrusted':
      return untrusted(target, listener.code, listener.certificate);
    case 'client-certificate':
      return clientCertificate(target, listener.code);
    case 'own-certificate':
      return {
        message: `the certificate or key for ${address} cannot be used: ${listener.message}`,
        hint: `PEM files, the key that of the certificate: ${OWN_CERTIFICATE}`,
        exitCode: 2,
      };
    case 'http2':
      return {
        message: `${silence}: ${statusOf(error).details ?? (error as Error).message}`,
        hint: 'look at its log; what listens there speaks HTTP/2, as Temporal does',
      };
  }
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ENOTFOUND: 'its name is not known (ENOTFOUND)',
  EAI_AGAIN: 'its name cannot be looked up now (EAI_AGAIN)',
  EHOSTUNREACH: 'no route to the host (EHOSTUNREACH)',
  ENETUNREACH: 'no route to its network (ENETUNREACH)',
  ETIMEDOUT: 'no connection within 3 s',
};

const mendOf = (code: string): string =>
  ['ENOTFOUND', 'EAI_AGAIN'].includes(code)
    ? 'correct the name in scheduler_url or TEMPORAL_ADDRESS, or the name server'
    : 'start one, or set TEMPORAL_ADDRESS';

const OWN_CERTIFICATE =
  'TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH (or tls in the profile)';

function untrusted({ address, tls }: Target, code: string, certificate: Certificate): Explanation {
  const { issuer = 'unknown', names = 'no name', validFrom, validTo } = certificate;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      message: `${address} has a certificate for another name: ${names}`,
      hint: 'set TEMPORAL_TLS_SERVER_NAME to that name, or use it as the address',
      exitCode: 2,
    };
  }
  if (code === 'CERT_HAS_EXPIRED')
    return {
      message: `the certificate of ${address} was valid until ${validTo}`,
      hint: 'renew it at the server',
    };
  if (code === 'CERT_NOT_YET_VALID')
    return {
      message: `the certificate of ${address} is valid from ${validFrom}`,
      hint: 'compare the clocks of both hosts',
    };
  const own = typeof tls === 'object' && tls.serverRootCACertificate;
  return {
    message: `the certificate of ${address}, issued by ${issuer}, is not trusted (${code})`,
    hint: own
      ? 'TEMPORAL_TLS_SERVER_CA_CERT_PATH (server_ca_cert_path in the profile) is not the authority that issued it'
      : 'set TEMPORAL_TLS_SERVER_CA_CERT_PATH to the certificate of the authority that issued it',
    exitCode: 2,
  };
}

function clientCertificate({ address, tls }: Target, code: string): Explanation {
  const has = typeof tls === 'object' && tls.clientCertPair;
  return {
    message: has
      ? `${address} refuses the client certificate (${code})`
      : `${address} demands a client certificate`,
    hint: has ? `set one that the server knows: ${OWN_CERTIFICATE}` : `set ${OWN_CERTIFICATE}`,
    exitCode: 2,
  };
}

async function throughProxy(
  { address, host }: Target,
  { variable, host: proxy, port }: Proxy,
): Promise<Explanation> {
  const listener = await whatListens({ address: `${proxy}:${port}`, host: proxy, port, namespace: '' });
  const why =
    listener.kind === 'unreachable'
      ? `the proxy ${proxy}:${port} of ${variable} does not answer: ${UNREACHABLE[listener.code] ?? listener.code}`
      : `not through the proxy ${proxy}:${port} of ${variable}`;
  return {
    message: `no Temporal server answers at ${address}: ${why}`,
    hint: `unset ${variable}, or add ${host} to no_proxy, if the server is reached without it`,
  };
}
