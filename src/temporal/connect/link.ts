/** A connection that tells when the server has gone away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';

/** The number of that state of gRPC channels (grpc/grpc-node `connectivity-state.ts`). */
const READY = 2;
/** Frontends end connections now and then, and take the next one at once; no server comes up in this time. */
const RENEWAL_MS = 300;

export class ServerLink extends Connection {
  /** @throws when no server answers */
  static override async connect(options: Parameters<typeof Connection.connect>[0]): Promise<ServerLink> {
    // The constructor is that of the class it is called on.
    return (await super.connect(options)) as ServerLink;
  }

  /** Resolves when the connection is gone and not renewed at once. */
  async lost(): Promise<void> {
    const channel = this.client.getChannel();
    // Asking makes a channel that is idle connect again.
    const ready = (): boolean => (channel.getConnectivityState(true) as number) === READY;
    do {
      while (ready()) {
        await new Promise<void>((resolve) => {
          channel.watchConnectivityState(READY, Infinity, () => resolve());
        });
      }
      ready();
      await sleep(RENEWAL_MS);
    } while (ready());
  }
}
