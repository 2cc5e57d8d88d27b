/**
 * What listens at an address, found out over sockets of our own: the SDK's client says only that its deadline has passed,
 * whatever the cause is.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type PeerCertificate } from 'node:tls';
import { ANSWER_MS, type Target } from './target.js';

export type Listener =
  /** Speaks HTTP/2, as gRPC does, in the way that it was asked. */
  | { kind: 'http2' }
  | { kind: 'http1' }
  /** Speaks TLS, and was not asked to. */
  | { kind: 'tls' }
  /** Speaks no TLS, though it was asked to. */
  | { kind: 'plain' }
  /** Presents a certificate that is not trusted. `code` as Node names it. */
  | { kind: 'untrusted'; code: string; certificate: Certificate }
  /** Wants a certificate of ours, or refuses that which it got. `code` as OpenSSL names its alert. */
  | { kind: 'client-certificate'; code: string }
  /** Our own certificate, key or authorities cannot be used. */
  | { kind: 'own-certificate'; message: string }
  /** No connection. `code` as the system names it: ECONNREFUSED, ENOTFOUND. */
  | { kind: 'unreachable'; code: string }
  /** Accepts the connection, and ends it or says nothing; with TLS, after the certificates were exchanged. */
  | { kind: 'closed' | 'silent' };

/** What a person can recognize it by. */
export interface Certificate {
  issuer?: string | undefined;
  names?: string | undefined;
  validFrom?: string | undefined;
  validTo?: string | undefined;
}

type Place = Pick<Target, 'host' | 'port'>;

/** Begins HTTP/2 (RFC 9113, 3.4): the preface, and an empty SETTINGS frame. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
/** What is wrong with its certificate is looked at afterwards: who fails at it sees nothing of the certificate. */
const UNVERIFIED = { rejectUnauthorized: false, ALPNProtocols: ['h2'] };
const GET = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');

/** Takes some seconds at most; never throws. */
export async function whatListens(target: Target): Promise<Listener> {
  return target.tls ? await behindTls(target, target.tls) : await withoutTls(target);
}

/** Some servers of HTTP/1 do not answer what begins HTTP/2, and those of TLS not what is no TLS: all is tried at once. */
async function withoutTls(at: Place): Promise<Listener> {
  const [http2, http1, tls] = await Promise.all([
    ask(connectTcp({ ...at }), 'connect', PREFACE),
    ask(connectTcp({ ...at }), 'connect', GET),
    ask(connectTls({ ...at, ...UNVERIFIED }), 'secureConnect', PREFACE),
  ]);
  for (const answer of [http2, http1]) if ('data' in answer) return recognize(answer.data);
  if (tls.connected) return { kind: 'tls' };
  if (!http2.connected) return { kind: 'unreachable', code: http2.code ?? 'ECONNRESET' };
  return { kind: http2.code === 'ETIMEDOUT' ? 'silent' : 'closed' };
}

function recognize(data: Buffer): Listener {
  if (/^HTTP\/1/.test(data.toString('latin1'))) return { kind: 'http1' };
  // TLS's record of an alert; HTTP/2's frame of settings.
  if (data[0] === 0x15 && data[1] === 3) return { kind: 'tls' };
  return data[3] === 4 ? { kind: 'http2' } : { kind: 'closed' };
}

async function behindTls({ host, port }: Target, tls: NonNullable<Target['tls']>): Promise<Listener> {
  let socket: TLSSocket;
  try {
    socket = connectTls({ host, port, ...UNVERIFIED, ...tlsOptions(host, tls) });
  } catch (error) {
    return { kind: 'own-certificate', message: (error as Error).message };
  }
  const answer = await ask(socket, 'secureConnect', PREFACE);
  // Also an Error where the name is wrong, in spite of its type.
  const untrusted = socket.authorizationError as Error | string | null;
  if (answer.connected && untrusted) {
    const code = untrusted instanceof Error ? 'ERR_TLS_CERT_ALTNAME_INVALID' : untrusted;
    return { kind: 'untrusted', code, certificate: certificateOf(answer.peer) };
  }
  if ('data' in answer) return recognize(answer.data);
  const { code = '', connected } = answer;
  if (/ALERT|HANDSHAKE_FAILURE/.test(code)) return { kind: 'client-certificate', code };
  if (connected) return { kind: code === 'ETIMEDOUT' ? 'silent' : 'closed' };
  const plain = await withoutTls({ host, port });
  return plain.kind === 'http2' ? { kind: 'plain' } : plain;
}

function tlsOptions(host: string, tls: NonNullable<Target['tls']>) {
  if (typeof tls === 'boolean') return nameOf(host);
  const { serverRootCACertificate: ca, clientCertPair: own, serverNameOverride: name } = tls;
  return {
    ...nameOf(name ?? host),
    ...(ca && { ca: Buffer.from(ca) }),
    ...(own && { cert: Buffer.from(own.crt), key: Buffer.from(own.key) }),
  };
}

// An IP address is no server name (RFC 6066); without one the host is what the certificate is checked for.
const nameOf = (host: string): { servername?: string } =>
  /^[0-9.]+$|:/.test(host) ? {} : { servername: host };

function certificateOf(peer: PeerCertificate | undefined): Certificate {
  const { issuer, subjectaltname: names, valid_from: validFrom, valid_to: validTo } = peer ?? {};
  const name = issuer?.CN ?? issuer?.O;
  return { issuer: Array.isArray(name) ? name.join(' ') : name, names, validFrom, validTo };
}

type Answer = { peer?: PeerCertificate } & (
  { connected: true; data: Buffer; code?: never } | { connected: boolean; code?: string }
);

/** Connects, says something, and waits for the first bytes. */
async function ask(socket: Socket, event: 'connect' | 'secureConnect', text: Buffer): Promise<Answer> {
  let connected = false;
  let peer: PeerCertificate | undefined;
  return await new Promise((resolve) => {
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ...answer, ...(peer && { peer }) });
    };
    const timer = setTimeout(() => end({ connected, code: 'ETIMEDOUT' }), ANSWER_MS);
    socket.once(event, () => {
      connected = true;
      if (socket instanceof TLSSocket) peer = socket.getPeerCertificate();
      socket.write(text);
    });
    socket.once('data', (data: Buffer) => end({ connected: true, data }));
    socket.once('close', () => end({ connected }));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => end({ connected, code }));
  });
}
