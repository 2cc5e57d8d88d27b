/** Steps that run side by side, shown to a person: moving lines on a terminal, plain ones elsewhere. */
import { Listr, PRESET_TIMER } from 'listr2';
import type { OnStep } from '../machine/on-step.js';

export interface Display {
  /**
   * Adds a step; it begins with `start`.
   * @param done the summary to print when it is done
   */
  step<T>(title: string, work: (onStep: OnStep) => Promise<T>, done?: (value: T) => string): Promise<T>;
  /** Runs the steps; resolves when all have ended, also when one fails. */
  start(): Promise<void>;
}

export const createDisplay = (stream: NodeJS.WriteStream): Display =>
  stream.isTTY ? terminalDisplay() : plainDisplay((line) => void stream.write(`${line}\n`));

interface Step {
  title: string;
  /** Resolves with its summary. */
  run: (onStep: OnStep) => Promise<string>;
}

/** Registers steps and their results; how they are shown is the caller's. */
function createSteps(): { steps: Step[]; step: Display['step'] } {
  const steps: Step[] = [];
  return {
    steps,
    step: <T>(title: string, work: (onStep: OnStep) => Promise<T>, done?: (value: T) => string) => {
      const result = new Promise<T>((resolve, reject) => {
        const run = async (onStep: OnStep): Promise<string> => {
          try {
            const value = await work(onStep);
            resolve(value);
            return done?.(value) ?? '';
          } catch (error) {
            reject(error);
            throw error;
          }
        };
        steps.push({ title, run });
      });
      // Whoever waits for it hears of its failure; nobody has to.
      result.catch(() => undefined);
      return result;
    },
  };
}

function terminalDisplay(): Display {
  const { steps, step } = createSteps();
  return {
    step,
    async start() {
      const tasks = steps.map(({ title, run }) => ({
        title,
        task: async (_: unknown, task: { title: string; output: string }) => {
          const describe = describer();
          const summary = await run((text, fraction) => {
            task.output = describe(text, fraction);
          });
          if (summary) task.title = `${title}: ${summary}`;
        },
      }));
      // Whoever waits for the step prints its error.
      const rendererOptions = { timer: PRESET_TIMER, showErrorMessage: false };
      const options = { concurrent: true, exitOnError: false, rendererOptions };
      await new Listr(tasks, options).run();
    },
  };
}

/** Between two lines of a step. */
const REPEAT_MS = 10_000;

/**
 * A line when a step changes or ends; a step prints at most one every ten seconds, and only what is new.
 * @public loaded from dist by scripts/caches.mjs
 */
export function plainDisplay(print: (line: string) => void): Display {
  const { steps, step } = createSteps();
  const began = performance.now();
  const elapsed = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
  const printLine = (text: string): void => print(`[${elapsed(began).padStart(8)}] ${text}`);
  const reported = new Set<unknown>();
  /** Not for a stop on demand, nor for steps that end because another one has failed: they end with its error. */
  const printFailure = (error: unknown, line: string): void => {
    const isStop = error instanceof Error && error.name === 'AbortError';
    if (!isStop && !reported.has(error)) printLine(line);
    reported.add(error);
  };
  return {
    step,
    async start() {
      await Promise.allSettled(
        steps.map(async ({ title, run }) => {
          const since = performance.now();
          const describe = describer();
          const lines = new Throttle(REPEAT_MS, (line) => printLine(`${title}: ${line}`));
          try {
            const summary = await run((text, fraction) => lines.show(describe(text, fraction)));
            lines.end();
            printLine(`${title}: done in ${elapsed(since)}${summary ? `; ${summary}` : ''}`);
          } catch (error) {
            lines.end();
            printFailure(error, `${title}: failed after ${elapsed(since)}`);
          }
        }),
      );
    },
  };
}

/** Prints the first line at once, and later the newest one when the interval is over. */
class Throttle {
  private printed: string | undefined;
  private pending: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly intervalMs: number,
    private readonly print: (line: string) => void,
  ) {}

  show(line: string): void {
    this.pending = line;
    if (!this.timer) this.printPending();
  }

  /** Drops what is pending: the step has ended. */
  end(): void {
    clearInterval(this.timer);
  }

  private printPending = (): void => {
    if (this.pending === undefined || this.pending === this.printed) return;
    this.print(this.pending);
    this.printed = this.pending;
    this.timer ??= setInterval(this.printPending, this.intervalMs);
  };
}

/** Until then an estimate would be a guess. */
const KNOWN_FROM = 0.02;

/** Texts of a step, with percent and the time that is left at the speed so far: `compiling 87 of 282 (31 %, 2 min left)`. */
function describer(): (text: string, fraction: number | undefined) => string {
  let first: { fraction: number; at: number } | undefined;
  let before = 0;
  return (text, fraction) => {
    if (fraction === undefined) {
      first = undefined;
      return text;
    }
    const now = performance.now();
    // A smaller fraction is that of another part of the step.
    if (!first || fraction < before) first = { fraction, at: now };
    before = fraction;
    const made = fraction - first.fraction;
    const left = made < KNOWN_FROM ? undefined : ((now - first.at) / made) * (1 - fraction);
    // Rounded down: 100 % of something that still runs would be wrong.
    const percent = `${Math.floor(fraction * 100)} %`;
    return `${text} (${percent}${left === undefined ? '' : `, ${timeLeft(left)} left`})`;
  };
}

/** Coarse, as it is an estimate: `40 s`, `3 min`. */
const timeLeft = (ms: number): string =>
  ms < 60_000 ? `${Math.max(10, Math.ceil(ms / 10_000) * 10)} s` : `${Math.ceil(ms / 60_000)} min`;
