import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from '../../machine/build-environment.js';
import { describeEnd, runBound } from '../../machine/run-bound.js';
import { UserError } from '../../user-error.js';
import type { CliMaker, MakeOptions } from './cli-maker.js';

const SCRIPT = fileURLToPath(new URL('../../../server/temporal-cli/download.mjs', import.meta.url));
// A firewall that drops packets would block the SDK for minutes, so give up a download that does not grow for this long.
const STALLED_MS = 20_000;
const POLL_MS = 1_000;

/** Downloads the CLI with the TypeScript SDK. @throws UserError when the download fails or stalls */
export const downloadBySdk: CliMaker = { name: 'the SDK’s download', deadlineMs: 300_000, make: download };

async function download(version: string, into: string, { onStep, signal }: MakeOptions): Promise<void> {
  onStep?.('downloading');
  const directory = await mkdtemp(`${dirname(into)}/.download-`);
  const file = join(directory, `temporal-v${version}`);
  const stalled = new AbortController();
  const watch = watchGrowth(
    file,
    (bytes) => onStep?.(`downloading, ${Math.round(bytes / 1e6)} MB`),
    () => stalled.abort(new UserError('the download of the Temporal CLI makes no progress', { exitCode: 1 })),
  );
  try {
    const either = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal;
    const end = await runBound(process.execPath, [SCRIPT, `v${version}`, directory], {
      env: buildEnvironment(),
      signal: either,
    });
    // The file exists before the SDK tries to run it. Whether it runs is checked when its version is queried.
    if (!(await sizeOf(file))) {
      throw new UserError(`the Temporal CLI cannot be downloaded (${describeEnd(end)})`, { exitCode: 1 });
    }
    await rename(file, into);
  } finally {
    clearInterval(watch);
    await rm(directory, { recursive: true, force: true });
  }
}

function watchGrowth(file: string, onGrowth: (bytes: number) => void, onStall: () => void): NodeJS.Timeout {
  let bytes = 0;
  let since = Date.now();
  return setInterval(() => {
    void sizeOf(`${file}.downloading`).then(async (partial) => {
      const now = partial || (await sizeOf(file));
      if (now !== bytes) {
        bytes = now;
        since = Date.now();
        onGrowth(bytes);
      } else if (Date.now() - since > STALLED_MS) onStall();
    });
  }, POLL_MS);
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
