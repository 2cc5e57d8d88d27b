/** The test engine (test/fixtures/engine.mjs), started as a worker starts it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.js';
import { processesWith } from './processes.js';

export const ENGINE = [process.execPath, fileURLToPath(new URL('../fixtures/engine.mjs', import.meta.url))];

export interface EndedEngine {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command of the engine to its end. */
export async function runEngine(...args: string[]): Promise<EndedEngine> {
  const [program = '', ...first] = ENGINE;
  return await promisify(execFile)(program, [...first, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as EndedEngine,
  );
}

export interface RunningEngine {
  pid: number;
  /** Exit code or signal. */
  ended: Promise<number | string>;
}

/** Runs `run <attempt directory>` in a process group of its own; it is killed when the test ends. */
export async function startEngine(
  directory: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<RunningEngine> {
  const [program = '', script = ''] = ENGINE;
  const env = { ...process.env, ...environment };
  const child = spawn(program, [script, 'run', directory], {
    cwd: directory,
    detached: true,
    stdio: 'ignore',
    env,
  });
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | string);
  await once(child, 'spawn');
  const pid = child.pid as number;
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { pid, ended };
}

/** Waits until the engine of an attempt has written its first progress. */
export const untilShown = (directory: string): Promise<void> =>
  eventually(async () => {
    const path = join(directory, 'progress.json');
    return existsSync(path) && (await readFile(path, 'utf8')).includes('"pid"');
  });

export interface EngineRun {
  what: 'start' | 'step' | 'held' | 'end';
  sector: string;
  at: string;
  pid: number;
  /** Milliseconds since 1970. */
  time: number;
  /** `step`: what it computes; `held`: at which moment; `end`: its exit code. */
  words: string;
}

/** What engines have written into `engines.log` beside their checkpoints. */
export async function engineRuns(checkpoints: string): Promise<EngineRun[]> {
  const path = join(checkpoints, 'engines.log');
  const text = existsSync(path) ? await readFile(path, 'utf8') : '';
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [what, sector = '', at = '', pid, time, ...words] = line.split(' ');
      const run = { what: what as EngineRun['what'], sector, at, pid: Number(pid), time: Number(time) };
      return { ...run, words: words.join(' ') };
    });
}

/** Process IDs of the engines of an attempt, whether they have shown themselves or not. */
export async function processesOf(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, i) => commands[i]?.split('\0').includes(directory));
}

/** Ends all engines below a directory, also those that have not shown themselves yet. */
export async function killEngines(root: string): Promise<void> {
  const isEngine = async (pid: number): Promise<boolean> =>
    (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').includes('run');
  await eventually(async () => {
    let left = 0;
    for (const pid of await processesWith(root)) {
      if (!(await isEngine(pid))) continue;
      left += 1;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    return left === 0;
  });
}
