/** Signals and printing for commands. */
import type { UserError } from '../user-error.js';

/**
 * Aborted by the first SIGINT or SIGTERM; later ones have no effect.
 * @param onSignal called with its name before
 */
export function untilSignal(onSignal: (name: string) => void = () => undefined): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (!controller.signal.aborted) onSignal(signal);
      controller.abort();
    });
  return controller.signal;
}

/** Runs `work`. Not an error: `work` rejects with the signal's reason because it was asked to stop. */
export async function unlessStopped(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value));

/** Prints one line with the cause, and one with the hint. */
export function printProblem({ message, hint }: UserError): void {
  process.stderr.write(`sealflow: ${message}\n`);
  if (hint) process.stderr.write(`  ${hint}\n`);
}
