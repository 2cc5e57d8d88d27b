import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { UserError } from '../../user-error.js';

/**
 * A TCP port that nobody listens on at the moment. Another process may take it before it is used: the caller
 * must be ready to try another.
 */
export const freePort = (ip: string): Promise<number> => listenOnce(ip, 0);

/**
 * @param what what the port is for, in messages
 * @throws UserError that names the port when somebody listens there already, or it cannot be used
 */
export async function requireFreePort(ip: string, port: number, what: string): Promise<void> {
  try {
    await listenOnce(ip, port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE')
      throw new UserError(`cannot listen on ${ip}:${port} (${what}): ${message}`, { cause: error });
    throw new UserError(`port ${port} (${what}) is in use: something already listens on ${ip}:${port}`, {
      hint: `choose another port, or stop the process that listens there (ss -ltnp 'sport = :${port}' shows it)`,
    });
  }
}

async function listenOnce(ip: string, port: number): Promise<number> {
  const server = createServer();
  server.listen({ host: ip, port });
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return bound;
}
