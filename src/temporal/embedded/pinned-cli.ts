/** The pinned version of the Temporal CLI that sealflow downloads, or else builds, once per user. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, makeOnce } from '../../machine/cache.js';
import type { CliMaker, MakeOptions } from './cli-maker.js';
import { duration } from '../../units.js';
import { UserError } from '../../user-error.js';
import { buildWithGo } from './build-with-go.js';
import { downloadBySdk } from './download-by-sdk.js';
import { installWheel } from './install-wheel.js';

/** Must match server/temporal-cli: go.mod pins the build's dependencies, requirements.txt the wheel. */
export const TEMPORAL_CLI_VERSION = '1.8.2';

/** Ways to get the CLI, tried in this order. */
export const CLI_MAKERS: readonly CliMaker[] = [downloadBySdk, installWheel, buildWithGo];

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
 * Obtains the pinned CLI by the first way that works.
 *
 * @returns its path in the cache
 * @throws UserError with a line for each way when none works, and the hint of the last; the signal's reason
 */
export async function makePinnedCli(
  options: MakeOptions,
  makers: readonly CliMaker[] = CLI_MAKERS,
): Promise<string> {
  const { onStep, signal } = options;
  const build = (directory: string): Promise<void> =>
    makeByFirst(makers, join(directory, 'temporal'), options);
  const onWait = (): void => onStep?.('waiting for another process that is downloading or building it');
  return join(await makeOnce(keyOf(TEMPORAL_CLI_VERSION), build, { onWait, signal }), 'temporal');
}

async function makeByFirst(
  makers: readonly CliMaker[],
  into: string,
  { onStep, signal }: MakeOptions,
): Promise<void> {
  const failures: string[] = [];
  let last: unknown;
  for (const { name, deadlineMs, make } of makers) {
    const deadline = AbortSignal.timeout(deadlineMs);
    const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
    try {
      return await make(TEMPORAL_CLI_VERSION, into, { onStep, signal: either });
    } catch (error) {
      signal?.throwIfAborted();
      last = error;
      const why = deadline.aborted ? `no end after ${duration(deadlineMs)}` : (error as Error).message;
      failures.push(`${name}: ${why}`);
      onStep?.(`not by ${name}: ${why}`);
    }
  }
  throw new UserError(['the Temporal CLI cannot be obtained', ...failures].join('\n  '), {
    exitCode: 1,
    hint: last instanceof UserError ? last.hint : undefined,
    cause: last,
  });
}
