/** The engines' logs where the worker dies at any moment of a deletion, or the disk is full. */
import { readdirSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { cacheDir, doneDir, keptLogs } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { createTestHost, OTHER_RUN_ID, type TestHost } from '../../helpers/test-host.js';

const odd = {
  /** Changes that still succeed: after them nothing more is changed, as by a worker that is dead. */
  left: Infinity,
  /** The same, counted from the renaming of the sector's directory on. */
  leftWhenGone: Infinity,
  /** Whether no file finds room now. */
  isFull: (_path: string): boolean => false,
};
vi.mock('../../../src/mounts/remote-fs.js', async (original) => {
  const real = await original<typeof import('../../../src/mounts/remote-fs.js')>();
  type Change = (...args: never[]) => Promise<unknown>;
  const mortal =
    <F extends Change>(change: F) =>
    (...args: Parameters<F>) =>
      --odd.left < 0 ? Promise.reject(new Error('the worker is dead')) : change(...args);
  return {
    ...real,
    rename: mortal(async (from: string, to: string) => {
      await real.rename(from, to);
      if (to.includes('/.gone-')) odd.left = Math.min(odd.left, odd.leftWhenGone);
    }),
    unlink: mortal(real.unlink),
    rm: mortal(real.rm),
    rmdir: mortal(real.rmdir),
    mkdir: mortal(real.mkdir),
    link: mortal(real.link),
    syncDirectory: mortal(real.syncDirectory),
    writeNewFile: mortal((path: string, content: string | Uint8Array) =>
      odd.isFull(path)
        ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' }))
        : real.writeNewFile(path, content),
    ),
  };
});

const SECTOR = sectorOf('t01000/7');
const PHASES = ['P1', 'P2', 'P3', 'P4', 'P5'] as const;
let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
  await host.seals(...PHASES);
  for (const phase of PHASES) await writeFile(host.path(`1/${phase}-1`, 'log'), `${phase} said this\n`);
});
afterEach(() => {
  odd.left = odd.leftWhenGone = Infinity;
  odd.isFull = () => false;
});

const textOf = async (path: string): Promise<string> => gunzipSync(await readFile(path)).toString();
const abort = (runId: string): Promise<unknown> =>
  host.offer(
    'abortSector',
    { v: CONTRACT_VERSION, seal: host.seal, claim: 1, run: runId, why: 'aborted' },
    { runId },
  ).done;

/** Does it again and again from the same state, each time dead one change later, and then once more to the end. */
async function atEachMoment(act: () => Promise<unknown>, expectGood: () => Promise<void>): Promise<number> {
  const kept = join(host.root, 'kept');
  const copy = async (from: string, to: string): Promise<void> => {
    await mkdir(to, { recursive: true });
    for (const name of ['local', 'nodes']) {
      await rm(join(to, name), { recursive: true, force: true });
      await cp(join(from, name), join(to, name), { recursive: true });
    }
  };
  // What comes before the directory is renamed away is tested elsewhere.
  odd.leftWhenGone = 0;
  await act().catch(() => undefined);
  odd.left = odd.leftWhenGone = Infinity;
  await copy(host.root, kept);
  // One file is deleted like the other.
  for (let moment = 0; ; moment += moment < 12 ? 1 : 4) {
    await copy(kept, host.root);
    odd.left = moment;
    const isOver = await act().then(
      () => true,
      () => false,
    );
    // Its end may not have reached the server: all is done once more.
    odd.left = Infinity;
    await act();
    expect(await readdir(cacheDir(host.group)), `moment ${moment}`).toEqual([]);
    await expectGood();
    if (isOver) return moment;
  }
}

test('P6 dies at any moment: in the end all logs are kept', { timeout: 120_000 }, async () => {
  const all = PHASES.map((phase) => `==> 1/${phase}-1/log <==\n${phase} said this\n`).join('\n');
  const moments = await atEachMoment(
    () => host.clean(),
    async () => {
      expect(await textOf(keptLogs(host.group, SECTOR, 'P6'))).toBe(all);
      expect((await readdir(doneDir(host.group))).filter((name) => name.includes('.gz'))).toEqual([
        's-t01000-7.logs.gz',
      ]);
    },
  );
  expect(moments).toBeGreaterThan(20);
});

test(
  'an abort dies at any moment: in the end its logs are kept, not those of one before',
  { timeout: 120_000 },
  async () => {
    await rm(host.directory, { recursive: true });
    await rm(join(host.node, '.sealflow'), { recursive: true });
    await writeFile(keptLogs(host.group, SECTOR, 'abort'), 'of one before');
    await host.run('P1', {}, { runId: OTHER_RUN_ID });
    await writeFile(host.path('1/P1-1', 'log'), 'said this time\n');
    const moments = await atEachMoment(
      () => abort(OTHER_RUN_ID),
      async () => {
        expect(await textOf(keptLogs(host.group, SECTOR, 'abort'))).toBe(
          '==> 1/P1-1/log <==\nsaid this time\n',
        );
      },
    );
    expect(moments).toBeGreaterThan(10);
  },
);

const isOfLogs = (path: string): boolean => path.includes('logs.gz');

test('on a full disk the attempts make room for their logs', async () => {
  const cache = cacheDir(host.group);
  const layers = (): boolean =>
    readdirSync(cache, { recursive: true, encoding: 'utf8' }).some((name) => name.includes('data-layer-1'));
  odd.isFull = (path) => isOfLogs(path) && layers();
  await host.clean();
  expect(await textOf(keptLogs(host.group, SECTOR, 'P6'))).toContain('P5 said this');
  expect(await readdir(cache)).toEqual([]);
});

test('also where done/ itself had no room before', async () => {
  const cache = cacheDir(host.group);
  odd.isFull = (path) =>
    path.startsWith(doneDir(host.group)) &&
    readdirSync(cache, { recursive: true, encoding: 'utf8' }).some((name) => name.includes('data-layer-1'));
  await host.clean();
  expect(await textOf(keptLogs(host.group, SECTOR, 'P6'))).toContain('P5 said this');
  expect(await readdir(cache)).toEqual([]);
});

test('and where there is no room at all, the sector is deleted without, with one warning', async () => {
  odd.isFull = isOfLogs;
  await host.clean();
  expect(await readdir(cacheDir(host.group))).toEqual([]);
  expect(await readdir(doneDir(host.group))).toEqual(['s-t01000-7.json']);
  expect(host.logged.filter((line) => line.includes('logs'))).toEqual([
    "t01000/7 P6: the engines' logs are not kept: ENOSPC",
  ]);
});
