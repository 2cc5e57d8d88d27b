import { Command } from 'commander';
import { readConfig, type Config } from '../../config.js';
import { isErrno } from '../../files.js';
import { undrain } from '../../group/drained.js';
import { readMarker } from '../../group/marker.js';
import { MountHungError, registerMount, type MountTimes } from '../../mounts/mounts.js';
import { drainedDir, type GroupDirectory } from '../../paths.js';
import { UserError } from '../../user-error.js';
import { findWorkers } from '../../workers/found-workers.js';
import type { Drained } from '../host-json-forms.js';
import { print } from '../process.js';

/** A person is waiting. */
const MOUNT_TIMES: MountTimes = { quickMs: 5_000, slowMs: 50_000 };

export const undrainCommand = (): Command =>
  new Command('undrain')
    .description('let a host that was drained take new work again')
    .requiredOption('--config <file>', 'config.toml of the host')
    .option('--json', 'print JSON')
    .action(async ({ config: file, json }: { config: string; json?: boolean }) => {
      const config = readConfig(file);
      const { changed: wasDrained, isNoticed } = await changeDrained(config, file, undrain);
      const said: Drained = { host: config.ip, drained: false, changed: wasDrained, noticed: isNoticed };
      print(json ? JSON.stringify(said) : `${config.ip} is ${wasDrained ? 'no longer' : 'not'} drained`);
    });

/**
 * Changes the note in the group's directory, and lets the host's worker look at it.
 * @returns what `change` returned, and whether a worker of this machine was told to look at it
 * @throws UserError when the directory is not there, or this user may not write to it
 */
export async function changeDrained<T>(
  config: Config,
  file: string,
  change: (group: GroupDirectory, config: Config) => Promise<T>,
): Promise<{ changed: T; isNoticed: boolean }> {
  const { localDir } = config;
  registerMount(localDir, MOUNT_TIMES);
  const { subdirectory } = await readMarker(localDir).catch((error: unknown) => {
    throw new UserError((error as Error).message, { exitCode: 1, cause: error });
  });
  let changed;
  try {
    changed = await change({ root: localDir, subdirectory }, config);
  } catch (error) {
    if (error instanceof MountHungError) throw new UserError(error.message, { exitCode: 1, cause: error });
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
    throw new UserError(`cannot note it in ${localDir}: ${(error as Error).message}`, {
      exitCode: 1,
      hint: `run it as the worker's user, who owns ${drainedDir({ root: localDir, subdirectory })}: sudo -u sealflow sealflow …`,
      cause: error,
    });
  }
  const told = (await findWorkers(file)).filter((pid) => tell(pid));
  return { changed, isNoticed: told.length > 0 };
}

/** @returns whether the worker is there, and may be told by this user */
function tell(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGUSR2');
  } catch (error) {
    if (!isErrno(error, 'ESRCH', 'EPERM')) throw error;
    return false;
  }
}
