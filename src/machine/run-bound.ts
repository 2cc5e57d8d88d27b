import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { endGroup, spawnBound } from './bound-process.js';

/** Time, in ms, between SIGTERM and SIGKILL. */
const GRACE_MS = 5_000;
const TAIL_LINES = 20;

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Terminates the program and its process group. */
  signal?: AbortSignal | undefined;
  onStdout?: (line: string) => void;
  /** Progress bars that use carriage returns produce a line each time. */
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
 * Runs a program until it exits and passes on its output line by line. It does not outlive us.
 *
 * @returns how it ended, whatever the exit code
 * @throws the signal's reason when aborted, after the program has exited
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

/** How a program ended and the last line of its stderr: `exit code 1: error: no space left`. */
export function describeEnd({ code, signal, tail }: RunResult): string {
  const status = signal === null ? `exit code ${code}` : `ended by ${signal}`;
  const last = tail.findLast((line) => line.trim() !== '');
  return last === undefined ? status : `${status}: ${last.trim()}`;
}
