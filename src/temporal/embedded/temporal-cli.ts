import { findTool } from '../../machine/tools.js';
import { UserError } from '../../user-error.js';
import { isAtLeast } from '../../machine/versions.js';
import { askVersion, OLDEST_SERVER, type CliVersion } from './cli-version.js';
import type { CliMaker, MakeOptions } from './cli-maker.js';
import { CLI_MAKERS, cachedCli, makePinnedCli, TEMPORAL_CLI_VERSION } from './pinned-cli.js';

/** The `temporal` command, whose `server start-dev` is the embedded server. */
export interface TemporalCli {
  path: string;
  /** `1.8.2`; `0.0.0-DEV` when TEMPORAL_CLI names a build that does not know. */
  version: string;
  /** Version of the server inside. */
  server: string;
  source: 'TEMPORAL_CLI' | 'PATH' | 'cache' | 'made';
}

export interface FindCliOptions extends MakeOptions {
  /** How to get it when it is nowhere: the download, then the build. */
  makers?: readonly CliMaker[];
}

/**
 * Finds the Temporal CLI, or gets it: `TEMPORAL_CLI`, `temporal` on PATH if it is new enough, the cache, the SDK's download, a
 * build with Go (4 minutes on two cores). `onStep` hears only of the last two.
 *
 * @throws UserError when TEMPORAL_CLI is not what it should be, or nothing worked: then it says what to install
 */
export async function findTemporalCli(options: FindCliOptions = {}): Promise<TemporalCli> {
  const given = process.env['TEMPORAL_CLI'];
  if (given) return useGiven(given);

  const onPath = findTool('temporal');
  const found = onPath === undefined ? undefined : await askVersion(onPath);
  if (onPath !== undefined && found && isUsable(found)) return { path: onPath, ...found, source: 'PATH' };

  const cached = await useCached(TEMPORAL_CLI_VERSION);
  if (cached) return cached;
  return useMade(await makePinnedCli(options, options.makers ?? CLI_MAKERS));
}

/** A CLI of just that version that was got before, for data which that version has made. */
export async function useCached(version: string): Promise<TemporalCli | undefined> {
  const path = await cachedCli(version);
  const found = path === undefined ? undefined : await askVersion(path);
  return path !== undefined && found ? { path, ...found, source: 'cache' } : undefined;
}

const isUsable = ({ server }: CliVersion): boolean => isAtLeast(server, OLDEST_SERVER);

/** A path that was given is used or refused, never passed over. */
async function useGiven(given: string): Promise<TemporalCli> {
  const hint = 'set TEMPORAL_CLI to the path of a working `temporal`, or unset it';
  const path = findTool(given);
  if (path === undefined) throw new UserError(`TEMPORAL_CLI names no executable file: ${given}`, { hint });
  const found = await askVersion(path);
  if (!found)
    throw new UserError(`TEMPORAL_CLI is not the Temporal CLI: ${path} --version does not tell its version`, {
      hint,
    });
  if (!isUsable(found)) {
    throw new UserError(
      `TEMPORAL_CLI is too old: ${path} has server ${found.server}, ${OLDEST_SERVER} or newer is needed`,
      { hint: 'take a Temporal CLI from 1.5.0 on, or unset TEMPORAL_CLI' },
    );
  }
  return { path, ...found, source: 'TEMPORAL_CLI' };
}

async function useMade(path: string): Promise<TemporalCli> {
  const found = await askVersion(path);
  if (!found) {
    throw new UserError(`the Temporal CLI in the cache does not run: ${path}`, {
      exitCode: 1,
      hint: 'delete that file; it is got again',
    });
  }
  return { path, ...found, source: 'made' };
}
