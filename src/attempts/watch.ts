/** Waiting for an engine of this host, whoever started it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Times } from '../phases.js';
import type { Attempt } from './attempt.js';
import { isAlive } from './processes.js';
import { readProgress } from './progress.js';
import type { Progress } from './protocol.js';

export interface Watch {
  attempt: Attempt;
  times: Times;
  /** Neither step nor fraction nor CPU time move for this long: it hangs. */
  hangMs: number;
  /** Ends the wait, not the engine. */
  signal: AbortSignal;
  /** Known when this worker started the engine itself: saves the polling interval. */
  ended?: Promise<void>;
  onProgress: (progress: Progress) => void;
}

export type End = 'ended' | 'hangs' | 'never appeared';

/**
 * Waits until the engine has ended or hangs.
 * @throws the signal's reason when it is aborted.
 */
export async function watchEngine({
  attempt,
  times,
  hangMs,
  signal,
  ended,
  onProgress,
}: Watch): Promise<End> {
  const began = performance.now();
  const engine = { gone: false };
  const woken = ended?.then(() => {
    engine.gone = true;
  });
  let worked = { step: '', fraction: null as number | null, cpuSeconds: 0, at: began };
  let progress: Progress | undefined;
  for (;;) {
    signal.throwIfAborted();
    // What cannot be read at the moment (torn, mount away) says nothing: the last words stand.
    progress = (await readProgress(attempt.directory)) ?? progress;
    const now = performance.now();
    if (engine.gone) return progress ? 'ended' : 'never appeared';
    if (progress) {
      onProgress(progress);
      if (!(await isAlive(progress))) return 'ended';
      const { step, fraction, cpuSeconds } = progress;
      // Writing its progress costs an engine some CPU time too: a thousandth of the limit is no work.
      const computes = (cpuSeconds - worked.cpuSeconds) * 1000 > hangMs / 1000;
      if (step !== worked.step || fraction !== worked.fraction || computes)
        worked = { step, fraction, cpuSeconds, at: now };
      else if (now - worked.at >= hangMs) return 'hangs';
    } else if (isOver(attempt)) {
      return 'ended';
    } else if (now - began >= times.engineStart) {
      return 'never appeared';
    }
    await Promise.race([pause(times.engineLook, signal), ...(woken ? [woken] : [])]);
  }
}

const isOver = ({ directory }: Attempt): boolean =>
  ['result.json', 'error.json'].some((name) => existsSync(join(directory, name)));

// Unreferenced: a wait that is cut short by the engine's end must not keep this process alive.
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
