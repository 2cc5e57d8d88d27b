/**
 * Connects workers and orchestrators to Temporal. Separate from target.ts and client.ts, because loading the SDK's
 * worker takes 0.4 s and 40 MB, which commands should not pay.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { UserError } from '../../user-error.js';
import { connectClient } from './client.js';
import { ANSWER_MS, nativeOptions, type Target } from './target.js';

/**
 * @param onWait called with one line when it waits for a server that is not up, and again when the cause is another one
 * @returns what opens a connection, and waits as long as there is no server. It throws UserError when waiting does not help
 *   (something other than Temporal answers, or settings are wrong), and the signal's reason when that is aborted
 */
export function connectorTo(
  target: Target,
  signal: AbortSignal,
  onWait: (why: string) => void,
): () => Promise<NativeConnection> {
  let told: string | undefined;
  let answers = false;
  const tell = (why: string): void => {
    if (why !== told) onWait(why);
    told = why;
  };
  return async () => {
    for (;;) {
      signal.throwIfAborted();
      try {
        // The core waits for ever for one that is silent, and takes any HTTP/2 server for Temporal.
        if (!answers) await (await connectClient(target)).connection.close();
        const connection = await NativeConnection.connect(nativeOptions(target));
        answers = true;
        return connection;
      } catch (error) {
        answers = false;
        if (error instanceof UserError && error.exitCode === 2) throw error;
        tell((error as Error).message);
      }
      await sleep(ANSWER_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  };
}
