/** Starting an attempt's engine. */
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

/** Starts engines, and knows which of them this process has started and not yet seen end, and which it waits for. */
export class EngineStarter {
  private readonly running = new Map<string, { process: EngineProcess; ended: Promise<void> }>();

  private readonly waited = new Map<string, number>();

  constructor(private readonly program: EngineProgram) {}

  /** Notes that an activity waits for the attempt's engine, until the returned function is called. */
  waitFor({ directory }: Attempt): () => void {
    this.waited.set(directory, (this.waited.get(directory) ?? 0) + 1);
    return () => {
      const left = (this.waited.get(directory) ?? 1) - 1;
      if (left > 0) this.waited.set(directory, left);
      else this.waited.delete(directory);
    };
  }

  isWaitedFor = (directory: string): boolean => this.waited.has(directory);

  /** The end of the attempt's engine, if this process has started it. */
  endOf(attempt: Attempt): Promise<void> | undefined {
    return this.running.get(attempt.directory)?.ended;
  }

  /** Its process, if this process has started it and not seen it end. */
  processOf(attempt: Attempt): EngineProcess | undefined {
    const engine = this.running.get(attempt.directory)?.process;
    // Nobody else has its ID before its end was seen.
    if (engine?.startTime === -1) noteStartTime(engine);
    return engine;
  }

  /**
   * Starts the engine in a process group of its own, which outlives this process.
   * @throws failure `BadInput` when the program cannot be started, `PassingFault` when this host is short of something; what
   *   the file system says when the log cannot be made or the program not be looked at; MountHungError.
   */
  async start(attempt: Attempt): Promise<void> {
    // Also a look at the mount: one that hangs is told here, before there is a process that hangs in it.
    await touch(join(attempt.directory, 'log'));
    const [command = '', ...args] = this.program.command;
    const { environment } = this.program;
    const program = await findProgram(command, environment['PATH']);
    const cannot = `cannot start the engine ${command}`;
    if (program === undefined)
      throw new SealError('BadInput', `${cannot}: no such program`, { at: attempt.at });
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
      // Before the next await: it may have ended by then, and must not be remembered after that.
      this.running.set(attempt.directory, { process: engine, ended });
      noteStartTime(engine);
    } catch (error) {
      const type = isErrno(error, ...PASSING) ? 'PassingFault' : 'BadInput';
      throw new SealError(type, `${cannot}: ${(error as Error).message}`, { at: attempt.at });
    }
  }
}

/**
 * The shell goes to the attempt and becomes the engine: same process. spawn() itself would do that with `cwd`, but holds
 * this whole process until the new one has entered the directory and the program is loaded (tried: on a mount that
 * hangs, no timer and no heartbeat until it is back).
 */
const IN_ATTEMPT = 'cd -- "$0" && exec >>log 2>&1 && exec "$@"';

/** What this host runs short of at the moment: nothing is wrong with the program. */
const PASSING = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'];

/** The engine runs by now: that /proc cannot be read at the moment must not be told as a failed start. It is read again later. */
function noteStartTime(engine: EngineProcess): void {
  try {
    engine.startTime = startTimeOf(engine.pid);
  } catch {
    engine.startTime = -1;
  }
}

/** As a shell would find it; undefined when there is no such program. @throws errors of the file system; MountHungError */
async function findProgram(command: string, path = '/usr/bin:/bin'): Promise<string | undefined> {
  const directories = command.includes('/') || command === '' ? ['.'] : path.split(delimiter);
  for (const directory of directories) {
    const program = resolve(directory, command);
    if (await isProgram(program)) return program;
  }
  return undefined;
}

/** These say that there is no program that this user may run. Anything else (a stale mount, a disk, no memory) may pass. */
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
