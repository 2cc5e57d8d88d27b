/**
 * Engines of this host, found by their command lines: `… run
 * <local_dir>/nfs/<subdirectory>/cache/<sector>/<epoch>/<attempt>`.
 */
import { join, sep } from 'node:path';
import { commandLines } from '../machine/command-lines.js';
import { formatAt, parseAttempt, parseEpoch, type Attempt } from '../paths.js';
import { pidNsOf, startTimeOf, type EngineProcess, type HostIdentity } from './processes.js';

export interface FoundEngine {
  /** `s-t01000-7` */
  sector: string;
  /** As named in its engine's command line; the directory may have been renamed since. */
  attempt: Attempt;
  process: EngineProcess;
}

/** Finds this host's running engines below `localDir`. Reads /proc only: it never touches a mount. */
export async function findEngines(localDir: string, { pidNs }: HostIdentity): Promise<FoundEngine[]> {
  const found: FoundEngine[] = [];
  for (const { pid, words } of await commandLines()) {
    const attempt = attemptOf(words, localDir);
    // A container's processes are visible on its host, but their paths are those of another mount namespace.
    if (attempt && pidNsOf(pid) === pidNs)
      found.push({ ...attempt, process: { pid, startTime: startTimeOf(pid) } });
  }
  return found;
}

function attemptOf(command: string[], localDir: string): Omit<FoundEngine, 'process'> | undefined {
  const run = command.lastIndexOf('run');
  const directory = run < 0 ? undefined : command[run + 1];
  const root = join(localDir, 'nfs') + sep;
  if (!directory?.startsWith(root)) return undefined;
  const [, cache, sector = '', epochName = '', attemptName = '', ...rest] = directory
    .slice(root.length)
    .split(sep);
  const epoch = parseEpoch(epochName);
  const name = epoch === undefined ? undefined : parseAttempt(epoch, attemptName);
  if (cache !== 'cache' || !name || rest.length > 0) return undefined;
  return { sector, attempt: { ...name, at: formatAt(name), directory } };
}
