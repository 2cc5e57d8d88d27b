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
          const summary = await run((text, fraction) => {
            task.output = withFraction(text, fraction);
          });
          if (summary) task.title = `${title}: ${summary}`;
        },
      }));
      const options = { concurrent: true, exitOnError: false, rendererOptions: { timer: PRESET_TIMER } };
      await new Listr(tasks, options).run();
    },
  };
}

const REPEAT_MS = 10_000;

/**
 * A line when a step begins, ends, or changes; growing numbers are printed every ten seconds.
 * @public loaded from dist by scripts/caches.mjs
 */
export function plainDisplay(print: (line: string) => void): Display {
  const { steps, step } = createSteps();
  const began = performance.now();
  const elapsed = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;
  const printLine = (text: string): void => print(`[${elapsed(began).padStart(8)}] ${text}`);
  return {
    step,
    async start() {
      await Promise.allSettled(
        steps.map(async ({ title, run }) => {
          const since = performance.now();
          let kind = '';
          let loggedAt = -Infinity;
          try {
            const summary = await run((text, fraction) => {
              const now = performance.now();
              const newKind = text.replaceAll(/[0-9.]+/g, '#');
              if (newKind === kind && now - loggedAt < REPEAT_MS) return;
              [kind, loggedAt] = [newKind, now];
              printLine(`${title}: ${withFraction(text, fraction)}`);
            });
            printLine(`${title}: done in ${elapsed(since)}${summary ? `; ${summary}` : ''}`);
          } catch {
            printLine(`${title}: failed after ${elapsed(since)}`);
          }
        }),
      );
    },
  };
}

const withFraction = (text: string, fraction: number | undefined): string =>
  fraction === undefined ? text : `${text} (${(fraction * 100).toFixed(0)} %)`;
