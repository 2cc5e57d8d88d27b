/** A connection that detects when the server goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { clientOptions, type Target } from './target.js';

/** gRPC channel state (grpc/grpc-node `connectivity-state.ts`). */
const READY = 2;
/** Frontends close connections now and then and accept a new one at once; no server restarts within this time. */
const RENEWAL_MS = 300;

export class ServerLink extends Connection {
  /** @throws when no server answers */
  static async to(target: Target): Promise<ServerLink> {
    // `connect` constructs the class that it is called on.
    return (await super.connect(clientOptions(target))) as ServerLink;
  }

  /** Resolves when the connection is lost and not reestablished at once. */
  async lost(): Promise<void> {
    const channel = this.client.getChannel();
    // `true` makes an idle channel connect.
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
