import { execa } from 'execa';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs programs in one environment until the signal is aborted.
 * @returns `sh(program, ...args)`: its stdout; throws with the end of what it said when it fails
 */
export function createShell({ env = {}, signal, cwd }) {
  return async (program, ...args) => {
    const options = { env, cwd, cancelSignal: signal, stdin: 'ignore' };
    const { failed, stdout, stderr, shortMessage } = await execa(program, args, {
      ...options,
      reject: false,
    });
    signal?.throwIfAborted();
    if (!failed) return stdout.trim();
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${shortMessage}\n${said}`);
  };
}

/** Waits until `condition` gives something, and returns it. @throws after `seconds`, naming what did not come */
export async function eventually(what, condition, { seconds = 180, signal } = {}) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(300, undefined, { signal });
  }
}
