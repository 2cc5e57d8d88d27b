/** The pinned version of the Temporal CLI that sealflow downloads, or else builds, once per user. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, makeOnce } from '../../machine/cache.js';
import type { CliMaker, MakeOptions } from './cli-maker.js';
import { buildWithGo } from './build-with-go.js';
import { downloadBySdk } from './download-by-sdk.js';

/** Must match server/temporal-cli/go.mod, which pins the build's dependencies. */
export const TEMPORAL_CLI_VERSION = '1.8.2';

/** Ways to get the CLI, tried in this order. */
export const CLI_MAKERS: readonly CliMaker[] = [downloadBySdk, buildWithGo];

const keyOf = (version: string): string => `temporal-cli/${version}-${process.platform}-${process.arch}`;

/** @returns the path of a cached CLI of that version, undefined when there is none */
export async function cachedCli(version: string): Promise<string | undefined> {
  const path = join(cachePath(keyOf(version)), 'temporal');
  return stat(path).then(
    () => path,
    () => undefined,
  );
}

/**
 * Obtains the pinned CLI. Errors of all makers but the last are dropped: the last one's error has a hint for people.
 *
 * @returns its path in the cache
 * @throws what the last maker throws
 */
export async function makePinnedCli(
  options: MakeOptions,
  makers: readonly CliMaker[] = CLI_MAKERS,
): Promise<string> {
  const { onStep, signal } = options;
  const build = async (directory: string): Promise<void> => {
    const into = join(directory, 'temporal');
    for (const [i, make] of makers.entries()) {
      try {
        return await make(TEMPORAL_CLI_VERSION, into, options);
      } catch (error) {
        signal?.throwIfAborted();
        if (i === makers.length - 1) throw error;
      }
    }
  };
  const onWait = (): void => onStep?.('waiting for another process that is downloading or building it');
  return join(await makeOnce(keyOf(TEMPORAL_CLI_VERSION), build, { onWait, signal }), 'temporal');
}
