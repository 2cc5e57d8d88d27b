import { ROOT } from './prepare.mjs';

/**
 * Runs a program in the project's directory. Ctrl-C ends the program, which is waited for, and not us.
 * @param env the whole environment of the program
 * @returns its exit status (1 when it cannot be started or a signal has ended it) and, unless it `shows` it itself, all that it
 * has written
 */
export async function run(command, args, { shows = false, env = process.env } = {}) {
  const { execa } = await import('execa'); // Which prepare() has installed.
  const stdio = shows ? 'inherit' : ['ignore', 'pipe', 'pipe'];
  const outlive = () => undefined;
  process.on('SIGINT', outlive);
  try {
    const options = { cwd: ROOT, stdio, env, extendEnv: false, all: true, reject: false, cleanup: false };
    const { exitCode = 1, all, shortMessage } = await execa(command, args, options);
    return { status: exitCode, said: `${all || (shortMessage ?? '')}\n` };
  } finally {
    process.off('SIGINT', outlive);
  }
}
