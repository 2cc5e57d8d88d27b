/** A listener that passes connections on: makes a server of the loopback reachable at another address of this machine. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Forward {
  address: string;
  end(): Promise<void>;
}

/** @param ip to listen on. @param target `host:port` */
export async function forward(ip: string, target: string): Promise<Forward> {
  const [host = '', port] = target.split(':');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      // One side that breaks off breaks off the other, as if nothing stood between them.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, ip);
  await once(server, 'listening');
  const end = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { address: `${ip}:${(server.address() as AddressInfo).port}`, end };
}
