import { spawn } from 'node:child_process';
import { ROOT } from './prepare.mjs';

/**
 * Runs a program in the project's directory. Ctrl-C ends the program, which is waited for, and not us.
 * @returns its exit status (1 when it cannot be started or a signal has ended it) and, where `stdio` leaves it to us, all that
 * it has written
 */
export async function run(command, args, { stdio = ['ignore', 'pipe', 'pipe'], env = process.env } = {}) {
  const outlive = () => undefined;
  process.on('SIGINT', outlive);
  try {
    const child = spawn(command, args, { cwd: ROOT, stdio, env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (said += data));
    const status = await new Promise((resolve) => {
      child.once('error', ({ message }) => {
        said += `${message}\n`;
        resolve(1);
      });
      child.once('close', (code) => resolve(code ?? 1));
    });
    return { status, said };
  } finally {
    process.off('SIGINT', outlive);
  }
}
