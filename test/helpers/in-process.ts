/**
 * Commands of sealflow in the process of the test: for tests of what a command does and prints. Those of processes, signals
 * and exits start the program itself (`sealflow.ts`), which takes a second of a core each time.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { runCommand } from '../../src/cli/run-command.js';
import { ownEnvironment, type End } from './sealflow.js';

type Said = Pick<End, 'stdout' | 'stderr'>;

/** What belongs to a command is known by its asynchronous context: the test may print too. */
const said = new AsyncLocalStorage<Said>();
let last: Promise<unknown> = Promise.resolve();

/** Runs `sealflow <args>` to its end. One at a time, as the environment and the exit code are the process's. */
export async function command(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<End> {
  const run = last.then(() => runAlone(args, env));
  last = run.catch(() => undefined);
  return await run;
}

async function runAlone(args: readonly string[], env: NodeJS.ProcessEnv): Promise<End> {
  const streams = { stdout: '', stderr: '' };
  const before = { env: process.env, exitCode: process.exitCode };
  const undo = [capture('stdout'), capture('stderr'), keepListeners('SIGINT'), keepListeners('SIGTERM')];
  process.env = { ...ownEnvironment(), ...env };
  process.exitCode = undefined;
  try {
    const code = await said.run(streams, () => runCommand(args));
    return { code, ...streams };
  } finally {
    for (const restore of undo) restore();
    process.env = before.env;
    process.exitCode = before.exitCode;
  }
}

/** @returns what ends it */
function capture(name: 'stdout' | 'stderr'): () => void {
  const stream = process[name];
  const write = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    const own = said.getStore();
    if (!own) return (write as (...all: unknown[]) => boolean)(chunk, ...rest);
    own[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const done = rest.findLast((value) => typeof value === 'function');
    if (done) queueMicrotask(done as () => void);
    return true;
  };
  return () => {
    stream.write = write;
  };
}

/** A command listens for signals until its process ends. @returns what takes its listeners away */
function keepListeners(signal: 'SIGINT' | 'SIGTERM'): () => void {
  const before = process.listeners(signal);
  return () => {
    for (const listener of process.listeners(signal))
      if (!before.includes(listener)) process.removeListener(signal, listener);
  };
}
