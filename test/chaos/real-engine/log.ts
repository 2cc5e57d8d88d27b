/** The logs of a sector's engines, followed so closely that a line can be answered while the engine is still at it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseProgress } from '../../../src/engines/progress.js';
import type { Job, Progress } from '../../../src/engines/protocol.js';
import type { EnginePhaseId } from '../../../src/phases.js';

/** P3 at 8 MiB is over in 30 ms. */
const CLOSE_MS = 4;
/** For the count of what was done: an attempt that is superseded goes, and its log with it. */
const LOOSE_MS = 40;

/** An engine that has just logged a line. */
export interface Met {
  /** `1/P2-1` */
  at: string;
  directory: string;
}

export class EngineLogs {
  /** By attempt, also of those that are gone. */
  private readonly texts = new Map<string, string>();
  private following = true;
  private every = CLOSE_MS;
  private readonly over: Promise<void>;

  constructor(private readonly sectorDirectory: string) {
    this.over = this.follow();
  }

  /** Ends the following. */
  async end(): Promise<void> {
    this.following = false;
    await this.over;
  }

  /** Resolves as soon as an engine of the phase has logged all of these, in this order, and `when` holds. */
  async until(phase: EnginePhaseId, words: readonly string[], when?: (met: Met) => boolean): Promise<Met> {
    this.every = CLOSE_MS;
    for (;;) {
      this.look();
      const at = this.attempts(phase).find((name) => holdsInOrder(this.texts.get(name) ?? '', words));
      const met = at === undefined ? undefined : { at, directory: join(this.sectorDirectory, at) };
      if (met && (when?.(met) ?? true)) {
        this.every = LOOSE_MS;
        return met;
      }
      if (!this.following) throw new Error(`no engine of ${phase} has logged ${words.join(', ')}`);
      await sleep(CLOSE_MS);
    }
  }

  /** Attempts of a phase that had an engine, so far. */
  attempts = (phase: EnginePhaseId): string[] =>
    [...this.texts].flatMap(([at, text]) => (at.includes(`/${phase}-`) && text !== '' ? [at] : [])).sort();

  /** How often engines of a phase have logged something that begins with this, so far. */
  count = (phase: EnginePhaseId, words: string): number =>
    this.attempts(phase).reduce((n, at) => n + (this.texts.get(at) ?? '').split(`: ${words}`).length - 1, 0);

  /** For a test that failed. */
  story = (): string => [...this.texts].map(([at, text]) => `--- ${at}\n${text}`).join('\n');

  private async follow(): Promise<void> {
    while (this.following) {
      this.look();
      await sleep(this.every);
    }
    this.look();
  }

  /** At once, not in Node's thread pool: what is seen must still be so when it is answered. */
  private look(): void {
    for (const epoch of namesIn(this.sectorDirectory).filter((name) => /^[0-9]+$/.test(name))) {
      for (const name of namesIn(join(this.sectorDirectory, epoch))) {
        if (!/^P[1-3]-[0-9]+$/.test(name)) continue;
        const at = `${epoch}/${name}`;
        const text = textOf(join(this.sectorDirectory, at, 'log'));
        if (text !== undefined) this.texts.set(at, text);
      }
    }
  }
}

/** Its process, and the address of the host that has started it. @throws when it has not shown itself, as it must at first */
export function engineOf({ at, directory }: Met): { pid: number; host: string } {
  let progress: Progress | undefined;
  // It may be overwritten while it is read.
  for (let tries = 0; tries < 5; tries++)
    progress ??= parseProgress(textOf(join(directory, 'progress.json')) ?? '');
  if (!progress) throw new Error(`the engine of ${at} has logged something before it has shown itself`);
  const job = JSON.parse(readFileSync(join(directory, 'job.json'), 'utf8')) as Job;
  return { pid: progress.pid, host: job.madeBy.host };
}

function holdsInOrder(text: string, words: readonly string[]): boolean {
  let from = 0;
  for (const word of words) {
    const found = text.indexOf(`: ${word}`, from);
    if (found < 0) return false;
    from = found + 1;
  }
  return true;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // Not yet there, or no longer.
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
