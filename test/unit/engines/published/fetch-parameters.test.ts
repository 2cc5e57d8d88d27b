/** Making the published parameters of a size be there, with the test engine and a gateway on loopback. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../../../src/engines/engine.js';
import { engineEnvironment } from '../../../../src/engines/environment.js';
import { fetchParameters, type FetchOptions } from '../../../../src/engines/published/fetch-parameters.js';
import { listPublished } from '../../../../src/engines/published/list.js';
import { FETCH_LIMITS } from '../../../../src/engines/published/limits.js';
import { runBound } from '../../../../src/machine/run-bound.js';
import { publishedFiles } from '../../../fixtures/engine/published.mjs';
import { ENGINE } from '../../../helpers/engine.js';
import { breakOff, Gateway, ignoreRange, lie, status } from '../../../helpers/gateway.js';
import { temporaryDirectory } from '../../../helpers/temporary.js';

// The engine is started several times, next to other tests.
vi.setConfig({ testTimeout: 60_000 });

type File = ReturnType<typeof publishedFiles>[number];
const [key, big] = publishedFiles('32GiB') as [File, File];
const limits = { ...FETCH_LIMITS, firstDelayMs: 1, maxDelayMs: 1, fruitlessTries: 2 };

let gateway: Gateway;
let dir: string;

beforeEach(async () => {
  gateway = await Gateway.start([key, big].map(({ cid, content }) => [cid, content]));
  dir = join(await temporaryDirectory(), 'made/when/needed');
  vi.stubEnv('FIL_PROOFS_PARAMETER_CACHE', dir);
  vi.stubEnv('IPFS_GATEWAY', gateway.url);
  return () => vi.unstubAllEnvs();
});

const engine = (): Engine => ({
  command: ENGINE as Engine['command'],
  environment: engineEnvironment(),
  source: 'config.toml',
});

const fetchAll = (options: FetchOptions = {}) => fetchParameters(engine(), '32GiB', { limits, ...options });
const has = ({ name, content }: File) => readFile(join(dir, name)).then((found) => found.equals(content));
const asked = (): string[] => gateway.asked.map(({ cid }) => cid);
const RECORD = `${big.name}.checked`;
const LOCK = '.sealflow-params-32GiB.lock';

async function put({ name }: File, content: Buffer | string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, name), content);
}

describe('what is missing', () => {
  test('is fetched, the verifying key first; the engine knows that it is verified', async () => {
    expect(await fetchAll()).toBe(dir);
    expect(asked()).toEqual([key.cid, big.cid]);
    expect([await has(key), await has(big)]).toEqual([true, true]);
    expect((await readdir(dir)).sort()).toEqual([LOCK, key.name, big.name, RECORD].sort());
    expect((await listPublished(engine(), '32GiB')).files.map(({ checked }) => checked)).toEqual([
      false,
      true,
    ]);
  });

  test('is not fetched a second time, nor read', async () => {
    await fetchAll();
    const onStep = vi.fn();
    await fetchAll({ onStep });
    expect(asked()).toHaveLength(2);
    const texts = onStep.mock.calls.map(([text]) => String(text));
    expect(texts.filter((text) => text.includes('the parameters'))).toEqual([]);
  });

  test('is fetched by one of two processes; the other waits and finds it', async () => {
    const onStep = vi.fn();
    // The first one cannot end before the second one waits.
    let wait!: () => void;
    const waiting = new Promise<void>((resolve) => (wait = resolve));
    const answer = gateway.always;
    gateway.next = [(...all) => void waiting.then(() => answer(...all))];
    onStep.mockImplementation((text: string) => {
      if (text.startsWith('waiting')) wait();
    });
    expect(await Promise.all([fetchAll({ onStep }), fetchAll({ onStep })])).toEqual([dir, dir]);
    expect(onStep).toHaveBeenCalledWith('waiting for another process that fetches the same parameters');
    expect(asked()).toEqual([key.cid, big.cid]);
  });
});

describe('what is there', () => {
  test('and right is read, recorded and not fetched', async () => {
    await put(big, big.content);
    const [onStep, warn] = [vi.fn(), vi.fn()];
    await fetchAll({ onStep, warn });
    expect(asked()).toEqual([key.cid]);
    expect(onStep).toHaveBeenCalledWith('checking the parameters: 400 kB of 400 kB', 1);
    expect(existsSync(join(dir, RECORD))).toBe(true);
    expect(warn).not.toHaveBeenCalled();
  });

  test('and right needs neither a gateway nor a lock', async () => {
    await put(key, key.content);
    await put(big, big.content);
    expect(await fetchAll()).toBe(dir);
    expect(asked()).toEqual([]);
    expect(await readdir(dir)).not.toContain(LOCK);
  });

  test('and wrong is said once, and replaced', async () => {
    await put(big, 'cut off');
    const warn = vi.fn();
    await fetchAll({ warn });
    expect(await has(big)).toBe(true);
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          new RegExp(`^${join(dir, big.name)} is not the published file .*${big.digest}\\)`),
        ),
      ],
    ]);
  });

  test('and wrong stays when there is no right one', async () => {
    await put(key, key.content);
    await put(big, 'cut off');
    gateway.always = lie;
    await expect(fetchAll()).rejects.toThrow('its BLAKE2b is');
    expect(await readFile(join(dir, big.name), 'utf8')).toBe('cut off');
  });

  test('and was found damaged is read again, and replaced only if it is', async () => {
    const path = join(dir, big.name);
    await fetchAll();
    const { mtime } = await stat(path);
    const found = async (content: Buffer): Promise<boolean | undefined> => {
      await writeFile(path, content);
      await utimes(path, mtime, mtime);
      const [program, ...first] = ENGINE as Engine['command'];
      await runBound(program, [...first, 'params', '32GiB', '--only-check'], { env: engineEnvironment() });
      return (await listPublished(engine(), '32GiB')).files[1]?.checked;
    };
    expect(await found(Buffer.alloc(big.content.length))).toBe(false);
    await fetchAll();
    expect(await has(big)).toBe(true);
    expect(await found(big.content)).toBe(true);
    expect(asked()).toEqual([key.cid, big.cid, big.cid]);
  });

  test('and was modified since it was verified is read again', async () => {
    await fetchAll();
    await put(big, Buffer.alloc(big.content.length));
    await fetchAll();
    expect(await has(big)).toBe(true);
    expect(asked()).toEqual([key.cid, big.cid, big.cid]);
  });
});

test('a fetch that was given up goes on with the next call', async () => {
  gateway.next = [undefined, breakOff(join(dir, `${big.name}.part`), 1000), status(500), status(500)];
  await expect(fetchAll()).rejects.toMatchObject({
    hint: expect.stringMatching(/^the 1 kB that are/) as string,
  });
  await fetchAll();
  expect(gateway.asked.at(-1)).toMatchObject({ cid: big.cid, range: 'bytes=1000-' });
  expect(await has(big)).toBe(true);
});

describe('in one line, with the mend, is said', () => {
  test('that the disk is full', async () => {
    await mkdir(dir, { recursive: true });
    await symlink('/dev/full', join(dir, `${key.name}.part`));
    await expect(fetchAll()).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(new RegExp(`^there is no room left in ${dir}: ENOSPC`)) as string,
      hint: expect.stringMatching(/^make room and run the same command again/) as string,
    });
  });

  test('that the directory cannot be written', async () => {
    await mkdir(join(dir, '..'), { recursive: true });
    await writeFile(dir, '');
    await expect(fetchAll()).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(new RegExp(`^the parameters cannot be stored in ${dir}: E`)) as string,
      hint: expect.stringContaining('FIL_PROOFS_PARAMETER_CACHE') as string,
    });
  });

  test.for(['proofs', 'ftp://host/ipfs/', 'http://me:secret@host/ipfs/'])(
    'that IPFS_GATEWAY cannot be %s',
    async (address) => {
      vi.stubEnv('IPFS_GATEWAY', address);
      await expect(fetchAll()).rejects.toMatchObject({
        exitCode: 2,
        message: expect.not.stringContaining('secret') as string,
        hint: expect.stringContaining('/ipfs/') as string,
      });
    },
  );

  test('that another engine knows no list', async () => {
    const other: Engine = { ...engine(), command: ['/bin/sh', '-c', 'echo "no such flag" >&2; exit 2'] };
    await expect(fetchParameters(other, '32GiB')).rejects.toMatchObject({
      exitCode: 1,
      message: 'the engine does not list the published parameters for 32GiB: exit code 2: no such flag',
    });
    const entry = { ...key, content: undefined, bytes: null, checked: false };
    const outside = { v: 1, dir, files: [{ ...entry, name: '../x.vk' }] };
    const odd: Engine = {
      ...engine(),
      command: ['/bin/sh', '-c', `echo '${JSON.stringify(outside)}'`],
    };
    await expect(fetchParameters(odd, '32GiB')).rejects.toThrow('its answer is not a list of files');
  });
});

test('the slash at the end of IPFS_GATEWAY may be missing; a server that ignores ranges will do', async () => {
  vi.stubEnv('IPFS_GATEWAY', gateway.url.slice(0, -1));
  gateway.always = ignoreRange;
  await fetchAll();
  expect(await has(big)).toBe(true);
});
