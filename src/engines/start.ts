/** Starts an attempt's engine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join, resolve } from 'node:path';
import { constants } from 'node:fs';
import { SealError } from '../seal-error.js';
import { isErrno } from '../files.js';
import { access, stat, touch } from '../mounts/remote-fs.js';
import type { Attempt } from '../paths.js';
import { startTimeOf, type EngineProcess } from './processes.js';

export interface EngineProgram {
  /** Program and first arguments; `run <attempt directory>` is appended. */
  command: string[];
  environment: NodeJS.ProcessEnv;
}

/**
 * Starts engines, and tracks which of them this process has started and not yet seen exit, and which it waits for.
 */
export class EngineStarter {
  private readonly running = new Map<string, { process: EngineProcess; ended: Promise<void> }>();

  private readonly waited = new Map<string, number>();

  constructor(private readonly program: EngineProgram) {}

  /** Records that an activity waits for the attempt's engine, until the returned function is called. */
  waitFor({ directory }: Attempt): () => void {
    this.waited.set(directory, (this.waited.get(directory) ?? 0) + 1);
    return () => {
      const left = (this.waited.get(directory) ?? 1) - 1;
      if (left > 0) this.waited.set(directory, left);
      else this.waited.delete(directory);
    };
  }

  isAwaited = (directory: string): boolean => this.waited.has(directory);

  /** Resolves when the attempt's engine exits; undefined if this process has not started it, or it has exited. */
  endOf(attempt: Attempt): Promise<void> | undefined {
    return this.running.get(attempt.directory)?.ended;
  }

  /** The engine's process, if this process has started it and not seen it exit. */
  processOf(attempt: Attempt): EngineProcess | undefined {
    const engine = this.running.get(attempt.directory)?.process;
    // The process ID cannot be reused before this process has reaped its child.
    if (engine?.startTime === -1) setStartTime(engine);
    return engine;
  }

  /**
   * Starts the engine in a process group of its own, which outlives this process.
   * @throws failure `BadInput` when the program cannot be started, `PassingFault` when this host lacks a resource;
   *   errors of the file system when the log cannot be created or the program not be checked; MountHungError
   */
  async start(attempt: Attempt): Promise<void> {
    // Also probes the mount: a hung one is detected here, before a process hangs on it.
    await touch(join(attempt.directory, 'log'));
    const [command = '', ...args] = this.program.command;
    const { environment } = this.program;
    const program = await findProgram(command, environment['PATH']);
    const failure = `cannot start the engine ${command}`;
    if (program === undefined)
      throw new SealError('BadInput', `${failure}: no such program`, { at: attempt.at });
    try {
      const child = spawn(
        '/bin/sh',
        ['-c', IN_ATTEMPT, attempt.directory, program, ...args, 'run', attempt.directory],
        { cwd: '/', detached: true, stdio: 'ignore', env: environment },
      );
      await once(child, 'spawn');
      child.unref();
      const ended = once(child, 'exit').then(() => {
        this.running.delete(attempt.directory);
      });
      const engine = { pid: child.pid ?? 0, startTime: -1 };
      // Set before the next await: the engine may exit during it, and must not be recorded after that.
      this.running.set(attempt.directory, { process: engine, ended });
      setStartTime(engine);
    } catch (error) {
      const type = isErrno(error, ...PASSING) ? 'PassingFault' : 'BadInput';
      throw new SealError(type, `${failure}: ${(error as Error).message}`, { at: attempt.at });
    }
  }
}

/**
 * The shell changes to the attempt's directory and execs the engine in the same process. spawn() could do that
 * with `cwd`, but blocks this whole process until the child has changed directory and loaded the program
 * (measured: on a hung mount, no timer and no heartbeat until it is back).
 */
const IN_ATTEMPT = 'cd -- "$0" && exec >>log 2>&1 && exec "$@"';

/** Temporary resource shortages of this host: nothing is wrong with the program. */
const PASSING = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'];

/** The engine already runs: if /proc cannot be read now, the start has not failed. It is read later. */
function setStartTime(engine: EngineProcess): void {
  try {
    engine.startTime = startTimeOf(engine.pid);
  } catch {
    engine.startTime = -1;
  }
}

/**
 * Resolves a command as a shell would; undefined if there is no such program.
 * @throws errors of the file system; MountHungError
 */
async function findProgram(command: string, path = '/usr/bin:/bin'): Promise<string | undefined> {
  const directories = command.includes('/') || command === '' ? ['.'] : path.split(delimiter);
  for (const directory of directories) {
    const program = resolve(directory, command);
    if (await isProgram(program)) return program;
  }
  return undefined;
}

/**
 * These mean that there is no program this user may run. Others (a stale mount, a disk, no memory) may be
 * temporary.
 */
const NO_PROGRAM = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG'];

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (error) {
    if (isErrno(error, ...NO_PROGRAM)) return false;
    throw error;
  }
}
