/**
 * Connects workers and orchestrators to Temporal. Separate from target.ts and client.ts, because loading the SDK's
 * worker takes 0.4 s and 40 MB, which commands should not pay.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import { ANSWER_MS, answersHttp, noServer, type Target } from './target.js';

/**
 * Connects, and waits for a server that is not up yet.
 * @param onWait called once, when it starts to wait.
 * @throws UserError when something other than Temporal answers; the signal's reason when it is aborted.
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
