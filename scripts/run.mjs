import { ROOT } from './prepare.mjs';

/**
 * Runs a program, in the project's directory if no other is named. Ctrl-C ends the program, which is waited for, and not us.
 * @param env the whole environment of the program
 * @returns its exit status (1 when it cannot be started or a signal has ended it) and, unless it `shows` it itself, all that it
 * has written, and what of that to stdout (`printed`)
 */
export async function run(command, args, { shows = false, env = process.env, cwd = ROOT } = {}) {
  const { execa } = await import('execa'); // Which prepare() has installed.
  const stdio = shows ? 'inherit' : ['ignore', 'pipe', 'pipe'];
  const outlive = () => undefined;
  process.on('SIGINT', outlive);
  try {
    const options = { cwd, stdio, env, extendEnv: false, all: true, reject: false, cleanup: false };
    const { exitCode = 1, all, stdout = '', shortMessage } = await execa(command, args, options);
    return { status: exitCode, said: `${all || (shortMessage ?? '')}\n`, printed: stdout };
  } finally {
    process.off('SIGINT', outlive);
  }
}
