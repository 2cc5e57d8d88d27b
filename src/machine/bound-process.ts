/**
 * Child processes that cannot outlive this one, not even when it is killed with SIGKILL.
 *
 * Node has no `prctl(PR_SET_PDEATHSIG)`. `setpriv` from util-linux, which every Debian and Red Hat host has,
 * makes that call and then execs the program, so no process sits between us and the child. The kernel sends the
 * signal when the *thread* that spawned the child exits: call this from the main thread. The signal reaches
 * only the child: a process that a build tool has started (one compiler) finishes by itself.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { requireTool } from './tools.js';

// If we die between fork and prctl, the signal is never sent. So the child checks its parent once, after prctl.
const CHECK_PARENT_AND_EXEC = '[ "$PPID" = "$0" ] || exit 1; exec "$@"';

export interface BoundOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  stdio?: StdioOptions;
}

/**
 * Starts a program in its own process group, so Ctrl-C in a terminal does not reach it. The kernel kills it
 * when we exit. The child's pid is the program's.
 *
 * @param command name or path of an existing program; otherwise the child exits with code 127
 * @throws UserError when util-linux is missing
 */
export function spawnBound(
  command: string,
  args: readonly string[],
  options: BoundOptions = {},
): ChildProcess {
  const setpriv = requireTool('setpriv', 'install util-linux (apt-get install util-linux)');
  const bound = [
    '--pdeathsig',
    'KILL',
    '/bin/sh',
    '-c',
    CHECK_PARENT_AND_EXEC,
    String(process.pid),
    command,
    ...args,
  ];
  return spawn(setpriv, bound, { ...options, detached: true });
}

/**
 * Terminates a process group created by {@link spawnBound}: SIGTERM, then SIGKILL for whatever is left of it.
 *
 * @param graceMs time, in ms, that the program gets to exit after SIGTERM
 */
export async function endGroup(child: ChildProcess, graceMs: number): Promise<void> {
  const { pid } = child;
  if (pid === undefined || hasEnded(child)) return;
  const ended = once(child, 'exit');
  signalGroup(pid, 'SIGTERM');
  const kill = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  await ended;
  clearTimeout(kill);
  // Kills what the program has left behind. The group ID cannot have been reused while a process of the group
  // is alive.
  signalGroup(pid, 'SIGKILL');
}

/** Whether the program is known to have exited. */
export const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

/** Of a process that was started with a group of its own. Nothing happens where none of it is left. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
