/** Worker processes of this machine, found by their command lines: `… worker --config <file>`. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, resolve } from 'node:path';

/** @returns process IDs of the workers that serve this config.toml */
export async function findWorkers(configFile: string): Promise<number[]> {
  const wanted = resolve(configFile);
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const file = configOf(command.split('\0'));
      // What has started it (tini, a shell) has the same words, and would die of the signal.
      if (file === undefined || !(await isNode(pid))) return [];
      // Another user's process does not tell where it is.
      const from = await readlink(`/proc/${pid}/cwd`).catch(() => '/');
      return resolve(from, file) === wanted ? [pid] : [];
    }),
  );
  return found.flat();
}

const isNode = async (pid: number): Promise<boolean> =>
  basename(await readlink(`/proc/${pid}/exe`).catch(() => '')) === basename(process.execPath);

function configOf(command: readonly string[]): string | undefined {
  if (!command.includes('worker')) return undefined;
  const at = command.findIndex((word) => word === '--config' || word.startsWith('--config='));
  return command[at]?.split('=')[1] ?? (at < 0 ? undefined : command[at + 1]);
}
