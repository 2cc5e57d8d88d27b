/** The one version of the Temporal CLI that sealflow gets by itself: downloaded, or else built, once for each user. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, makeOnce } from '../../machine/cache.js';
import type { CliMaker, MakeOptions } from './cli-maker.js';
import { buildWithGo } from './build-with-go.js';
import { downloadBySdk } from './download-by-sdk.js';

/** Stands in server/temporal-cli/go.mod too, which pins all that it is built from. */
export const TEMPORAL_CLI_VERSION = '1.8.2';

/** Ways to get the CLI, tried in this order. */
export const CLI_MAKERS: readonly CliMaker[] = [downloadBySdk, buildWithGo];

const keyOf = (version: string): string => `temporal-cli/${version}-${process.platform}-${process.arch}`;

/** @returns the path of a CLI of that version that was made before, undefined when there is none */
export async function cachedCli(version: string): Promise<string | undefined> {
  const path = join(cachePath(keyOf(version)), 'temporal');
  return stat(path).then(
    () => path,
    () => undefined,
  );
}

/**
 * Makes the pinned CLI. All ways but the last may fail in silence: the last one's error tells what a person can do.
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
  const onWait = (): void => onStep?.('waiting for another process that is getting it');
  return join(await makeOnce(keyOf(TEMPORAL_CLI_VERSION), build, { onWait, signal }), 'temporal');
}
