import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { endGroup, spawnBound } from './bound-process.js';

/** A program that is told to end gets this long, in ms, before it is killed. */
const GRACE_MS = 5_000;
const TAIL_LINES = 20;

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Ends the program and all that it has started. */
  signal?: AbortSignal | undefined;
  onStdout?: (line: string) => void;
  /** Progress bars that return the carriage count as lines. */
  onStderr?: (line: string) => void;
}

export interface RunResult {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last lines of stderr. */
  tail: string[];
}

/**
 * Runs a program to its end and hands its output on line by line. It does not outlive us.
 *
 * @returns how it ended, whatever the exit code; rejects with the signal's reason, after the program is gone, when aborted
 */
export async function runBound(
  command: string,
  args: readonly string[],
  { cwd, env, signal, onStdout, onStderr }: RunOptions = {},
): Promise<RunResult> {
  signal?.throwIfAborted();
  const child = spawnBound(command, args, {
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail: string[] = [];
  eachLine(child.stdout, (line) => onStdout?.(line));
  eachLine(child.stderr, (line) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    onStderr?.(line);
  });

  const onAbort = (): void => void endGroup(child, GRACE_MS);
  signal?.addEventListener('abort', onAbort);
  try {
    return await new Promise<RunResult>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => {
        if (signal?.aborted) reject(signal.reason as Error);
        else resolve({ code, signal: by, tail });
      });
    });
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function eachLine(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}

/** How a program ended, and its last words, in one line: `exit code 1: error: no space left`. */
export function describeEnd({ code, signal, tail }: RunResult): string {
  const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  const last = tail.findLast((line) => line.trim() !== '');
  return last === undefined ? how : `${how}: ${last.trim()}`;
}
