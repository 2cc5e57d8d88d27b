/** What may listen where a Temporal frontend is expected, on loopback. All end with the test. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp1 } from 'node:http';
import { createServer as createHttp2, type Http2Session } from 'node:http2';
import { connect, createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';

const file = (name: string): Buffer => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
/** Certificate and key of test/fixtures/tls. */
export const pair = (name: string): { cert: Buffer; key: Buffer } => ({
  cert: file(`${name}.pem`),
  key: file(`${name}.key`),
});
export const path = (name: string): string => new URL(`../fixtures/tls/${name}`, import.meta.url).pathname;
export const AUTHORITY = file('authority.pem');
export const STRANGER = file('stranger.pem');

/** @returns its port */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** TLS in front of what listens at `port`. */
export const tlsInFront = (port: number, options: TlsOptions): Promise<number> =>
  listen(
    createTls({ ALPNProtocols: ['h2'], ...options }, (outer) => {
      const inner = connect(port, '127.0.0.1');
      outer.pipe(inner).pipe(outer);
      outer.on('error', () => inner.destroy()).on('close', () => inner.destroy());
      inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
    }).on('tlsClientError', () => undefined),
  );

/** A gRPC server that answers each call with this status. */
export const grpcStatus = (status: number, message: string): Promise<number> =>
  listen(
    createHttp2().on('stream', (stream) => {
      stream.on('error', () => undefined);
      const headers = { ':status': 200, 'content-type': 'application/grpc' };
      stream.respond(
        { ...headers, 'grpc-status': String(status), 'grpc-message': message },
        { endStream: true },
      );
    }),
  );

/** A gRPC server that is too busy to answer whoever connects first, and answers the next one's calls with an empty message. */
export function busyAtFirst(): Promise<number> {
  let first: Http2Session | undefined;
  return listen(
    createHttp2().on('stream', (stream) => {
      stream.on('error', () => undefined);
      first ??= stream.session;
      if (stream.session === first) return;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      // Not compressed, of no bytes.
      stream.end(Buffer.alloc(5));
    }),
  );
}

/** A web server that speaks HTTP/2 and has nothing there. */
export const http2NotFound = (): Promise<number> =>
  listen(
    createHttp2().on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond({ ':status': 404, 'content-type': 'text/html' });
      stream.end('not here\n');
    }),
  );

/** Like the old scheduler. */
export const http1 = (): Promise<number> =>
  listen(createHttp1((_, response) => response.writeHead(404).end('no such route\n')));

export const silent = (): Promise<number> => listen(createTcp(() => undefined));
export const ssh = (): Promise<number> =>
  listen(createTcp((socket) => socket.on('error', () => undefined).write('SSH-2.0-OpenSSH_9.2\r\n')));
export const closing = (): Promise<number> => listen(createTcp((socket) => socket.destroy()));

/** An HTTP proxy for CONNECT. @returns its port, and the hosts that it was asked for */
export async function connectProxy(): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createHttp1((_, response) => response.writeHead(405).end());
  server.on('connect', ({ url = '' }, socket: Socket) => {
    asked.push(url);
    const { hostname, port } = new URL(`http://${url}`);
    const inner = connect(Number(port || 80), hostname.endsWith('.example') ? '127.0.0.1' : hostname);
    inner.once('connect', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    socket.pipe(inner).pipe(socket);
    socket.on('error', () => inner.destroy()).on('close', () => inner.destroy());
    inner.on('error', () => socket.destroy());
  });
  return { port: await listen(server), asked };
}
