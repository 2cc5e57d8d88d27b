import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';

/** A program of test/fixtures that runs: what it prints, line by line, and how it ends. */
export interface Program {
  pid: number;
  /** Resolves with the next line of stdout that is there or comes; rejects when the program ends first. */
  line(): Promise<string>;
  /** Resolves with the exit code or the signal. */
  ended: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts `test/fixtures/<name>`, which may import from src/. Its stderr goes to ours.
 * @param openFiles how many files it may open
 */
export function startFixture(
  name: string,
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
  openFiles: number | 'unchanged' = 'unchanged',
): Program {
  const loader = new URL('./ts-loader.mjs', import.meta.url).href;
  const path = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const options: SpawnOptions = { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] };
  const command = [process.execPath, '--import', loader, path, ...args];
  const limited = openFiles === 'unchanged' ? 'exec "$@"' : `ulimit -n ${openFiles} && exec "$@"`;
  const child = spawn('/bin/sh', ['-c', limited, 'sh', ...command], options);
  return asProgram(child);
}

function asProgram(child: ChildProcess): Program {
  const lines = createInterface({ input: child.stdout as Readable })[Symbol.asyncIterator]();
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | string);
  const line = async (): Promise<string> => {
    const next: IteratorResult<string, unknown> = await lines.next();
    if (next.done) throw new Error(`the program ended (${await ended}) before it printed a line`);
    return next.value;
  };
  return { pid: child.pid as number, line, ended, kill: (signal) => void child.kill(signal) };
}
