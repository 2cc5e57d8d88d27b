/** Making the next attempt's directory, which is the lease, and starting its engine. */
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdir, open, rename } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { failure } from '../errors.js';
import { isErrno, syncDirectory, writeJson } from '../files.js';
import { attemptDir, epochDir, formatAt, type AttemptName } from '../paths.js';
import type { Attempt } from './attempt.js';
import type { Job } from './protocol.js';
import { startTimeOf, type EngineProcess } from './processes.js';
import { removeTree } from './remove-tree.js';

export interface EngineProgram {
  /** Program and first arguments; `run <attempt directory>` is appended. */
  command: string[];
  environment: NodeJS.ProcessEnv;
}

/**
 * Makes the attempt's directory with its job.
 * @returns undefined when the number is taken: someone else was faster, so look again.
 */
export async function makeAttempt(
  sectorDirectory: string,
  name: AttemptName,
  job: Job,
): Promise<Attempt | undefined> {
  const epoch = epochDir(sectorDirectory, name.epoch);
  const temporary = join(epoch, `.new-${randomUUID()}`);
  const at = formatAt(name);
  const directory = attemptDir(sectorDirectory, at);
  await mkdir(temporary);
  try {
    await writeJson(join(temporary, 'job.json'), job);
    await rename(temporary, directory);
  } catch (error) {
    await removeTree(temporary);
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) return undefined;
    throw error;
  }
  await syncDirectory(epoch);
  return { ...name, at, directory };
}

/** Starts engines, and knows which of them this process has started and not yet seen end. */
export class EngineStarter {
  private readonly running = new Map<string, { process: EngineProcess; ended: Promise<void> }>();

  constructor(private readonly program: EngineProgram) {}

  /** The end of the attempt's engine, if this process has started it. */
  endOf(attempt: Attempt): Promise<void> | undefined {
    return this.running.get(attempt.directory)?.ended;
  }

  /** Its process, if this process has started it and not seen it end. */
  processOf(attempt: Attempt): EngineProcess | undefined {
    return this.running.get(attempt.directory)?.process;
  }

  /**
   * Starts the engine in a process group of its own, which outlives this process.
   * @throws failure `BadInput` when the program cannot be started.
   */
  async start(attempt: Attempt): Promise<void> {
    const [command = '', ...args] = this.program.command;
    const log = await open(join(attempt.directory, 'log'), 'a');
    try {
      const child = spawn(command, [...args, 'run', attempt.directory], {
        cwd: attempt.directory,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        env: this.program.environment,
      });
      await once(child, 'spawn');
      child.unref();
      const ended = once(child, 'exit').then(() => {
        this.running.delete(attempt.directory);
      });
      const engine = { pid: child.pid ?? 0, startTime: -1 };
      // Before the next await: it may have ended by then, and must not be remembered after that.
      this.running.set(attempt.directory, { process: engine, ended });
      engine.startTime = await startTimeOf(engine.pid);
    } catch (error) {
      const message = `cannot start the engine ${command}: ${(error as Error).message}`;
      throw failure('BadInput', message, { at: attempt.at });
    } finally {
      await log.close();
    }
  }
}
