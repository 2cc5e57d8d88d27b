/** Finds worker processes on this machine by their command lines: `… worker --config <file>`. */
import { readlink } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { commandLines } from '../machine/command-lines.js';

/** @returns the process IDs of the workers that serve this config.toml */
export async function findWorkers(configFile: string): Promise<number[]> {
  const wanted = resolve(configFile);
  const found = await Promise.all(
    (await commandLines()).map(async ({ pid, words }) => {
      const file = configArgument(words);
      // A parent (tini, a shell) has the same arguments; the signal would kill it.
      if (file === undefined || !(await isNode(pid))) return [];
      // The cwd of another user's process cannot be read.
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '/');
      return resolve(cwd, file) === wanted ? [pid] : [];
    }),
  );
  return found.flat();
}

const isNode = async (pid: number): Promise<boolean> =>
  basename(await readlink(`/proc/${pid}/exe`).catch(() => '')) === basename(process.execPath);

function configArgument(command: readonly string[]): string | undefined {
  if (!command.includes('worker')) return undefined;
  const at = command.findIndex((word) => word === '--config' || word.startsWith('--config='));
  return command[at]?.split('=')[1] ?? (at < 0 ? undefined : command[at + 1]);
}
