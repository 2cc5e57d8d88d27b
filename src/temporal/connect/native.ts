/**
 * Connecting to Temporal from workers and orchestrators. Apart from target.ts and client.ts: the SDK's worker takes 0.4 s and
 * 40 MB to load, which no command should have to.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { ANSWER_MS, answersHttp, noServer, type Target } from './target.js';

/**
 * A connection. Waits for a server that is not there yet.
 * @param onWait told once, when it begins to wait.
 * @throws UserError when something answers that is not Temporal; the signal's reason when it is aborted.
 */
export async function connectWorker(
  target: Target,
  signal: AbortSignal,
  onWait: () => void,
): Promise<NativeConnection> {
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted();
    try {
      return await NativeConnection.connect(target.options);
    } catch (error) {
      if (await answersHttp(target.address)) throw await noServer(target, error);
      if (tries === 0) onWait();
      await sleep(ANSWER_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
