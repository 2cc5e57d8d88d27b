/** Calls of a program of the operator's own: JSON on stdin, JSON on stdout. It may hang, fork, or answer anything. */
import { spawn, type ChildProcess } from 'node:child_process';
import { signalGroup } from '../machine/bound-process.js';
import { findTool } from '../machine/tools.js';
import { ChainError } from './chain.js';

export interface ProgramOptions {
  /** The program and its arguments; no shell sees them. */
  command: readonly string[];
  /** Each call ends within that time, in ms. */
  timeoutMs: number;
  /** Ends all calls. */
  signal?: AbortSignal | undefined;
}

/** What a program may print: the numbers of a large miner, in JSON, are a few hundred kilobytes. */
const MAX_ANSWER = 8 * 1024 * 1024;
/** What is kept of stderr: its last line is told. */
const MAX_STDERR = 4096;
const MAX_TOLD = 200;
const STOPS = 'was ended: the orchestrator stops';
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000;
/** After its end, for what is left in its pipes: a process that has left its group may hold them. */
const PIPES_MS = 1_000;

/**
 * Starts it once and gives it one line.
 * @returns what it has printed, as JSON
 * @throws ChainError that says in one line what is wrong
 */
export async function askProgram(
  { command, timeoutMs, signal }: ProgramOptions,
  question: object,
): Promise<unknown> {
  const name = command.join(' ');
  if (signal?.aborted) throw new ChainError(`${name} ${STOPS}`);
  const call = new Call(command);
  const late = setTimeout(() => call.end(`does not answer: nothing within ${timeoutMs / 1000} s`), timeoutMs);
  const stopped = (): void => call.end(STOPS);
  signal?.addEventListener('abort', stopped);
  try {
    return parse(await call.answer(question));
  } catch (error) {
    throw new ChainError(`${name} ${(error as Error).message}`);
  } finally {
    clearTimeout(late);
    signal?.removeEventListener('abort', stopped);
  }
}

/** One run of the program. Its process group ends with it. */
class Call {
  private readonly child: ChildProcess;
  private stdout = '';
  private stderr = '';
  private fail: (error: Error) => void = () => undefined;

  constructor(command: readonly string[]) {
    // Where it can be had, the kernel ends the program if this process is killed.
    const setpriv = findTool('setpriv');
    const [program = '', ...args] = [...(setpriv ? [setpriv, '--pdeathsig', 'KILL', '--'] : []), ...command];
    this.child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** @throws Error that goes on after the program's name */
  async answer(question: object): Promise<string> {
    const { child } = this;
    return await new Promise((resolve, reject) => {
      this.fail = reject;
      child.on('error', (error) => reject(new Error(`cannot be started: ${error.message}`)));
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        this.stdout += text;
        if (this.stdout.length > MAX_ANSWER) this.end(`answers more than ${MAX_ANSWER} bytes`);
      });
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.stderr = (this.stderr + text).slice(-MAX_STDERR);
      });
      child.on('exit', () => {
        this.signal('SIGKILL');
        setTimeout(() => child.stdout?.destroy(), PIPES_MS).unref();
        setTimeout(() => child.stderr?.destroy(), PIPES_MS).unref();
      });
      child.on('close', (code, signal) => {
        if (code === 0) resolve(this.stdout);
        else
          reject(new Error(`${signal ? `was ended by ${signal}` : `exits with ${code}`}${this.lastLine()}`));
      });
      // It need not read what it is asked.
      child.stdin?.on('error', () => undefined).end(`${JSON.stringify(question)}\n`);
    });
  }

  end(why: string): void {
    this.fail(new Error(`${why}${this.lastLine()}`));
    this.signal('SIGTERM');
    const kill = setTimeout(() => this.signal('SIGKILL'), GRACE_MS);
    this.child.once('exit', () => clearTimeout(kill));
  }

  private signal(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined) signalGroup(this.child.pid, signal);
  }

  private lastLine(): string {
    const line = this.stderr.trim().split('\n').at(-1) ?? '';
    return line === '' ? '' : `: ${line.slice(0, MAX_TOLD)}`;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(
      text.trim() === '' ? 'answers nothing' : `answers no JSON: ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
}
