/**
 * Child processes that cannot outlive this one, not even when it is killed with SIGKILL.
 *
 * Node has no `prctl(PR_SET_PDEATHSIG)`; `setpriv` of util-linux, which every Debian and Red Hat host has, makes that call and
 * then becomes the program, so that nothing stands between us and the child. The signal comes when the *thread* that
 * spawned the child ends: call this from the main thread. It reaches the child alone: what a build tool has started (one
 * compiler) ends by itself.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { requireTool } from './tools.js';

// Should we die between fork and prctl, then no signal would ever come; so the child looks at its parent once, after prctl.
const BECOME = '[ "$PPID" = "$0" ] || exit 1; exec "$@"';

export interface BoundOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  stdio?: StdioOptions;
}

/**
 * Starts a program in a process group of its own (Ctrl-C in a terminal does not reach it); the kernel kills it when we are gone.
 * The child's pid is the program's.
 *
 * @param command name or path of a program that exists: else the child ends with code 127
 * @throws UserError when util-linux is missing
 */
export function spawnBound(
  command: string,
  args: readonly string[],
  options: BoundOptions = {},
): ChildProcess {
  const setpriv = requireTool('setpriv', 'install util-linux (apt-get install util-linux)');
  const bound = ['--pdeathsig', 'KILL', '/bin/sh', '-c', BECOME, String(process.pid), command, ...args];
  return spawn(setpriv, bound, { ...options, detached: true });
}

/**
 * Ends a process group that {@link spawnBound} made: SIGTERM, and SIGKILL for whatever of it is left after the grace.
 *
 * @param graceMs how long the program may take to end by itself
 */
export async function endGroup(child: ChildProcess, graceMs: number): Promise<void> {
  const { pid } = child;
  if (pid === undefined || hasEnded(child)) return;
  const ended = once(child, 'exit');
  signalGroup(pid, 'SIGTERM');
  const kill = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  await ended;
  clearTimeout(kill);
  // What the program itself has started and not ended. The number cannot have been given to others while such a process lives.
  signalGroup(pid, 'SIGKILL');
}

/** Whether the program is known to have ended. */
export const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
