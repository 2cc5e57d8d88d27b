/** Waits for an engine of this host, whichever worker started it. */
import type { Attempt } from '../paths.js';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exists } from '../files.js';
import { MountHungError } from '../mounts/mounts.js';
import type { Times } from '../phases.js';
import { isAlive } from './processes.js';
import { readProgress } from './progress.js';
import type { Progress } from './protocol.js';
import { WorkMeter } from './work-meter.js';

export interface Watch {
  attempt: Attempt;
  times: Times;
  /** The engine hangs if step, fraction and CPU time have not changed for this long, in ms. */
  hangMs: number;
  /** Ends the wait, not the engine. */
  signal: AbortSignal;
  /** Set when this worker started the engine: it is alive until this resolves, even without progress. */
  ended?: Promise<void>;
  onProgress: (progress: Progress) => void;
  /** Called on each poll while the mount hangs: then nothing can be read, and nothing is decided. */
  onHung?: (error: MountHungError) => void;
}

export type End = 'ended' | 'hangs' | 'never appeared';

/**
 * Waits until the engine has ended or hangs.
 * @throws the signal's reason when it is aborted
 */
export async function watchEngine(watch: Watch): Promise<End> {
  const { signal, ended } = watch;
  const engine = { gone: false };
  const wake = new AbortController();
  const onAbort = (): void => wake.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  // Subscribe once, not on each poll: every race leaves a reaction on a promise that lives as long as the engine.
  void ended?.then(() => {
    engine.gone = true;
    wake.abort();
  });
  try {
    return await untilOver(watch, engine, wake.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** @param woken aborted when the engine is gone or the wait is cancelled: polls immediately */
async function untilOver(
  { attempt, times, hangMs, signal, ended, onProgress, onHung }: Watch,
  engine: { gone: boolean },
  woken: AbortSignal,
): Promise<End> {
  let startedAt = performance.now();
  const meter = new WorkMeter(startedAt);
  let progress: Progress | undefined;
  for (;;) {
    signal.throwIfAborted();
    const seen = await unlessAborted(poll(attempt), signal);
    const now = performance.now();
    if (seen instanceof MountHungError) {
      onHung?.(seen);
      // The engine waits for the mount as we do: restart its limits when the mount is back.
      startedAt = now;
      meter.restart(now);
      await pause(times.enginePoll, signal);
      continue;
    }
    // A failed read (torn, or the mount is gone) proves nothing: the last progress stands.
    progress = seen.progress ?? progress;
    if (engine.gone) return progress ? 'ended' : 'never appeared';
    if (progress) {
      onProgress(progress);
      if (!isAlive(progress)) return 'ended';
      meter.record(progress, hangMs, now);
      if (meter.idleFor(now) >= hangMs) return 'hangs';
    } else if (seen.over) {
      return 'ended';
    } else if (now - startedAt >= (ended ? hangMs : times.engineStart)) {
      return ended ? 'hangs' : 'never appeared';
    }
    await pause(times.enginePoll, woken);
  }
}

/** @returns the error when the mount hangs */
async function poll({
  directory,
}: Attempt): Promise<{ progress: Progress | undefined; over: boolean } | MountHungError> {
  try {
    const progress = await readProgress(directory);
    const ends = progress ? [] : ['result.json', 'error.json'];
    const over = await Promise.all(ends.map((name) => exists(join(directory, name))));
    return { progress, over: over.includes(true) };
  } catch (error) {
    if (error instanceof MountHungError) return error;
    throw error;
  }
}

/** An abandoned poll does no harm, however long it takes. @throws the signal's reason */
async function unlessAborted<T>(polling: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([polling, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

// Unreferenced: the timer must not keep this process alive.
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
