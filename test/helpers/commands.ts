/** Programs of the system that run to their end: ip, mount, losetup and the like. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a program. @returns its stdout. @throws Error with its output when it fails */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(program, [...args])).stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${stderr.trim() || message}`, { cause: error });
  }
}

/** Whether a program can be run and ends with success. */
export const runs = (program: string, ...args: readonly string[]): Promise<boolean> =>
  run(program, ...args).then(
    () => true,
    () => false,
  );
