/** The production program `sealflow` (dist/cli/sealflow.cjs, made by `npm run build`), in processes of its own. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { spawnBound } from '../../src/machine/bound-process.js';
import { eventually } from './eventually.js';

/** The program that is tested. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/sealflow.cjs', import.meta.url));

export interface End {
  /** Exit code or signal. */
  code: number | string;
  stdout: string;
  stderr: string;
}

/** A process that goes on until it is ended. */
export interface Running {
  pid: number;
  /** What it has printed so far. */
  said: { stdout: string; stderr: string };
  ended: Promise<End>;
  kill(signal: NodeJS.Signals): void;
  /** Waits for a line of stdout or stderr that holds `text`. @throws when the process ends before */
  until(text: string): Promise<void>;
}

export interface SealflowOptions {
  env?: NodeJS.ProcessEnv;
  /** User and group ID to run as. */
  uid?: number;
  /** A program, with its arguments, that becomes sealflow in other surroundings (`nsenter --net=…`). */
  through?: readonly string[];
  /** Another program instead of {@link MAIN}: another version. */
  main?: string;
}

/** Starts `sealflow <args>`; it cannot outlive this process. */
export function startSealflow(
  args: readonly string[],
  { env = {}, uid, through = [], main = MAIN }: SealflowOptions = {},
): Running {
  if (!existsSync(main)) throw new Error(`${main} is not there: npm run build`);
  const command = [...through, ...(uid === undefined ? [] : asUser(uid)), process.execPath, main];
  const [program = '', ...first] = command;
  const child = spawnBound(program, [...first, ...args], {
    env: { ...ownEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return asRunning(child);
}

/** Runs `sealflow <args>` to its end. */
export const sealflow = (args: readonly string[], options?: SealflowOptions): Promise<End> =>
  startSealflow(args, options).ended;

const asUser = (id: number): string[] => [
  'setpriv',
  `--reuid=${id}`,
  `--regid=${id}`,
  '--clear-groups',
  // Becoming another user takes the signal away that binds a child to its parent.
  ...['--pdeathsig', 'KILL'],
];

/** Ours, without what would reach the program past the test: whoever runs the tests may have a server of his own. */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const own = (name: string): boolean =>
    name === 'TEMPORAL_CLI' || !/^(TEMPORAL_|SEALFLOW_ENGINE$)/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => own(name)));
}

function asRunning(child: ChildProcess): Running {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = child[name] as Readable;
    stream.setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  }
  let code: number | string | undefined;
  const ended = once(child, 'close').then(([exit, signal]) => {
    code = (signal ?? exit) as number | string;
    return { code, ...said };
  });
  const until = async (text: string): Promise<void> => {
    const there = (): boolean => `${said.stdout}\n${said.stderr}`.includes(text);
    await eventually(() => there() || code !== undefined);
    if (!there())
      throw new Error(`it ended (${code}) before it printed "${text}":\n${said.stdout}${said.stderr}`);
  };
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  return { pid: child.pid as number, said, ended, kill, until };
}
