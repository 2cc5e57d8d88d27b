import { existsSync } from 'node:fs';
import {
  copyFile,
  cp,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { readJson } from '../../../src/files.js';
import { goneName, sealedLink } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { shutDown } from '../../helpers/cancellation.js';
import { flip } from '../../helpers/damage.js';
import { makePart, OTHER_GROUP } from '../../helpers/staging.js';
import {
  createTestHost,
  failureFrom,
  HOST,
  NODE,
  OTHER_RUN_ID,
  snapshot,
  type TestHost,
} from '../../helpers/test-host.js';

const SECTOR = sectorOf('t01000/7');
const UUID = '11111111-2222-4333-8444-555555555555';
const FINAL = {
  sealed: 'sealed/s-t01000-7',
  p_aux: 'cache/s-t01000-7/p_aux',
  t_aux: 'cache/s-t01000-7/t_aux',
  'sc-02-data-tree-r-last.dat': 'cache/s-t01000-7/sc-02-data-tree-r-last.dat',
};
const NAMES = Object.keys(FINAL) as (keyof typeof FINAL)[];
const RECEIPT = 'receipts/s-t01000-7.json';

let host: TestHost;
let cache: string;
let done: string;
/** The unfinished copy, as P5 has left it. */
let part: string;

/** A sector with all its results: P1 to P5 have run. Each test gets its own copy of what the first test sealed. */
let sealed: { root: string; results: TestHost['results'] } | undefined;
afterAll(async () => {
  if (sealed) await rm(sealed.root, { recursive: true });
});
beforeEach(async () => {
  host = await createTestHost();
  if (sealed) {
    for (const name of ['local', 'nodes'])
      await cp(join(sealed.root, name), join(host.root, name), { recursive: true });
    host.results = sealed.results;
  } else {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    sealed = { root: await mkdtemp(join(tmpdir(), 'sealflow-test-')), results: host.results };
    for (const name of ['local', 'nodes'])
      await cp(join(host.root, name), join(sealed.root, name), { recursive: true });
  }
  cache = join(host.group.root, 'nfs', NODE, 'cache');
  done = join(host.group.root, 'nfs', NODE, 'done/s-t01000-7.json');
  const result = (await readJson(host.path('1/P5-1', 'result.json'))) as { facts: { staging: string } };
  part = join(host.node, result.facts.staging);
});

const onNode = (name: string): string => join(host.node, name);
const inode = async (path: string): Promise<number> => (await stat(path)).ino;

async function expectClean(): Promise<void> {
  expect(await readdir(cache)).toEqual([]);
  expect(existsSync(sealedLink(host.group, SECTOR))).toBe(false);
  expect(await readdir(onNode('.sealflow'))).toEqual([]);
  expect((await readdir(onNode('cache/s-t01000-7'))).sort()).toEqual([
    'p_aux',
    'sc-02-data-tree-r-last.dat',
    't_aux',
  ]);
  expect((await readJson(done)) as object).toMatchObject({
    sector: 't01000/7',
    storage: { node: NODE, receipt: RECEIPT },
  });
}

describe('a copy', () => {
  test('gets its final names as hard links: nothing is copied again', async () => {
    const inodes = await Promise.all(NAMES.map((name) => inode(join(part, name))));
    await host.clean();
    for (const [i, name] of NAMES.entries()) expect(await inode(onNode(FINAL[name]))).toBe(inodes[i]);
    await expectClean();
  });

  test('is described by its receipt', async () => {
    const result = (await readJson(host.path('1/P5-1', 'result.json'))) as {
      outputs: { files: { name: keyof typeof FINAL }[] };
    };
    await host.clean();
    const receipt = (await readJson(onNode(RECEIPT))) as Record<string, unknown>;
    expect(receipt).toMatchObject({
      v: 1,
      sector: 't01000/7',
      size: '2KiB',
      ticket: host.seal.ticket,
      seed: host.seal.seed,
      proof: host.results.P4?.proof,
      commR: Buffer.from(host.results.P2?.commR ?? '', 'base64').toString('hex'),
      commD: Buffer.from(host.results.P2?.commD ?? '', 'base64').toString('hex'),
      node: NODE,
      versions: { sealflow: '0.0.1' },
    });
    expect(receipt.files).toEqual(result.outputs.files.map((file) => ({ ...file, name: FINAL[file.name] })));
    for (const phase of ['P1', 'P2', 'P3', 'P4', 'P5']) {
      expect(receipt.phases).toHaveProperty(phase, expect.objectContaining({ host: HOST }));
    }
  });

  test('is the only one left: the sector’s other copies are deleted, other sectors’ are not', async () => {
    const others = [
      await makePart(host.node, host.group, 't01000/70'),
      await makePart(host.node, host.group, 't01000/8'),
      await makePart(host.node, { ...host.group, id: OTHER_GROUP }, 't01000/7'),
    ];
    const own = await makePart(host.node, host.group, 't01000/7');
    const unknown = `s-t01000-7.${UUID}`;
    await mkdir(onNode(join('.sealflow', unknown)));
    await writeFile(onNode(join('.sealflow', unknown, 'sealed')), 'x');
    await host.clean();
    expect(existsSync(own)).toBe(false);
    expect((await readdir(onNode('.sealflow'))).sort()).toEqual(
      [...others.map((path) => basename(path)), unknown].sort(),
    );
  });

  test('is published on the storage node that it was made on, whatever other nodes exist', async () => {
    const other = join(host.root, 'nodes/10.10.4.99');
    await mkdir(other);
    await host.clean({}, {}, { nodes: { directories: [other, host.node] } });
    expect(await readdir(other)).toEqual([]);
    await expectClean();
  });
});

describe('the result of P6', () => {
  test('reports the bytes freed and where the sector is stored', async () => {
    const result = await host.clean();
    const left = (await readJson(done)) as { bytes: number; host: string; commR: string; at: string };
    expect(result).toMatchObject({ v: 1, host: HOST, bytesFreed: left.bytes });
    expect(result.bytesFreed).toBeGreaterThan(10_000);
    expect(left.host).toBe(HOST);
    expect(Date.parse(left.at)).not.toBeNaN();
  });

  test('is the same when P6 is repeated', async () => {
    const { storage, bytesFreed } = await host.clean();
    for (let i = 0; i < 2; i++) expect(await host.clean()).toMatchObject({ storage, bytesFreed });
    await expectClean();
  });
});

describe('other sectors', () => {
  test('are untouched', async () => {
    const others = [
      's-t01000-70',
      's-t01000-8',
      's-t01001-7',
      `.gone-s-t01000-70-${UUID}`,
      's-t01000-7x',
      'lost+found',
    ];
    for (const name of others) {
      await mkdir(join(cache, name));
      await writeFile(join(cache, name, 'file'), name);
    }
    for (const name of ['sealed', 'cache', 'receipts']) await mkdir(onNode(name));
    for (const name of ['sealed/s-t01000-70', 'cache/s-t01000-70', 'receipts/s-t01000-70.json'])
      await writeFile(onNode(name), 'x');
    await host.clean();
    expect((await readdir(cache)).sort()).toEqual([...others].sort());
    for (const name of others) expect(await readdir(join(cache, name))).toEqual(['file']);
    for (const name of ['sealed', 'receipts']) expect((await readdir(onNode(name))).length).toBe(2);
    expect(await readFile(onNode('receipts/s-t01000-70.json'), 'utf8')).toBe('x');
  });

  test('with names that cannot be sealflow’s do not stop it', async () => {
    await mkdir(join(cache, '.gone-s-t01000-7-a b'));
    await mkdir(onNode('.sealflow/s-t01000-7.a b'));
    await host.clean();
    expect(existsSync(host.directory)).toBe(false);
    expect(await readdir(cache)).toEqual(['.gone-s-t01000-7-a b']);
  });
});

describe('a file of another program', () => {
  test.each(NAMES)('under the final name of %s stops it before anything is deleted', async (name) => {
    await mkdir(join(onNode(FINAL[name]), '..'), { recursive: true });
    await writeFile(onNode(FINAL[name]), 'precious');
    const before = await snapshot(host.directory);
    const thrown = await failureFrom(host.clean());
    expect(thrown).toMatchObject({ type: 'CopyDiffers', nonRetryable: true });
    expect(thrown.message).toContain(onNode(FINAL[name]));
    expect(await readFile(onNode(FINAL[name]), 'utf8')).toBe('precious');
    expect(await snapshot(host.directory)).toEqual(before);
    expect(existsSync(onNode(RECEIPT))).toBe(false);
  });

  test('with the same bytes still counts as another file', async () => {
    await mkdir(onNode('sealed'));
    await copyFile(join(part, 'sealed'), onNode(FINAL.sealed));
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'CopyDiffers' });
  });

  test('under the name of the receipt stops it', async () => {
    await mkdir(onNode('receipts'));
    await writeFile(onNode(RECEIPT), '{"v":1,"sector":"t01000/7"}');
    const before = await snapshot(host.directory);
    expect(await failureFrom(host.clean())).toMatchObject({
      type: 'CopyDiffers',
      message: expect.stringContaining(RECEIPT) as string,
    });
    expect(await snapshot(host.directory)).toEqual(before);
  });

  test('that was moved away no longer stops it', async () => {
    await mkdir(onNode('sealed'));
    await writeFile(onNode(FINAL.sealed), 'precious');
    await failureFrom(host.clean());
    await rename(onNode(FINAL.sealed), onNode('elsewhere'));
    await host.clean();
    await expectClean();
  });
});

describe('a copy that differs from what P5 made', () => {
  test.each(NAMES)('is made again when %s is gone', async (name) => {
    await rm(join(part, name));
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'StepBack', details: [{ from: 'P5' }] });
    expect(existsSync(host.path('1/P2-1', 'sealed'))).toBe(true);
    expect(existsSync(onNode(RECEIPT))).toBe(false);
  });

  test('is made again when a file has another size', async () => {
    await writeFile(join(part, 'sealed'), 'short');
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'StepBack', details: [{ from: 'P5' }] });
  });

  test.each(['p_aux', 't_aux', 'sealed'] as const)(
    'is detected by the digest of %s before any final name is linked',
    async (name) => {
      await flip(join(part, name));
      expect(await failureFrom(host.clean())).toMatchObject({ type: 'StepBack', details: [{ from: 'P5' }] });
      expect(existsSync(host.path('1/P2-1', 'sealed'))).toBe(true);
      expect(existsSync(done)).toBe(false);
      for (const final of [...Object.values(FINAL), RECEIPT]) expect(existsSync(onNode(final))).toBe(false);
    },
  );

  test('is not taken from a symbolic link', async () => {
    await rename(join(part, 'sealed'), onNode('moved'));
    await symlink(onNode('moved'), join(part, 'sealed'));
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'StepBack', details: [{ from: 'P5' }] });
  });
});

describe('P6 was killed', () => {
  /** The state up to the links of the copy. */
  async function linked(...names: (keyof typeof FINAL)[]): Promise<void> {
    await mkdir(onNode('sealed'), { recursive: true });
    await mkdir(onNode('cache/s-t01000-7'), { recursive: true });
    for (const name of names) await link(join(part, name), onNode(FINAL[name]));
  }

  /** What a complete P6 leaves, to build intermediate states from. */
  async function finished(): Promise<{ receipt: string; journal: string }> {
    const keep = join(host.root, 'keep');
    await mkdir(keep);
    await rename(host.directory, join(keep, 'sector'));
    await cp(join(keep, 'sector'), host.directory, { recursive: true });
    await host.clean();
    const files = { receipt: await readFile(onNode(RECEIPT), 'utf8'), journal: await readFile(done, 'utf8') };
    await rename(join(keep, 'sector'), host.directory);
    await rm(done);
    return files;
  }

  test('after it made directories', async () => {
    await linked();
    await host.clean();
    await expectClean();
  });

  test('after some links', async () => {
    await linked('sealed', 'p_aux');
    await host.clean();
    await expectClean();
  });

  test('after all links', async () => {
    await linked(...NAMES);
    await host.clean();
    await expectClean();
  });

  test('while it wrote the receipt', async () => {
    await linked(...NAMES);
    await mkdir(onNode('receipts'));
    await writeFile(onNode(`${RECEIPT}.${UUID}`), '{"v":1,');
    await host.clean();
    await expectClean();
    expect(await readJson(onNode(RECEIPT))).toMatchObject({ sector: 't01000/7' });
  });

  test('after the receipt, with the unfinished copy still there', async () => {
    const { receipt } = await finished();
    const again = await makePart(host.node, host.group, 't01000/7');
    await link(onNode(FINAL.sealed), join(again, 'sealed'));
    await host.clean();
    await expectClean();
    expect(await readFile(onNode(RECEIPT), 'utf8')).toBe(receipt);
  });

  test.each(NAMES)('after the receipt, and then %s was damaged: nothing is deleted', async (name) => {
    await finished();
    await flip(onNode(FINAL[name]));
    const before = await snapshot(host.directory);
    expect(await failureFrom(host.clean())).toMatchObject({
      type: 'CopyDiffers',
      message: `${onNode(FINAL[name])} is not the file that was copied`,
    });
    expect(await snapshot(host.directory)).toEqual(before);
    expect(existsSync(done)).toBe(false);
    // An operator moves it away, and the copy is made again.
    await rename(onNode(FINAL[name]), onNode('aside'));
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'StepBack', details: [{ from: 'P5' }] });
    host.results = { ...host.results, P5: await host.run('P5', { invalidated: ['1/P5-1'] }) };
    await host.clean();
    await expectClean();
  });

  test('after the unfinished copy was deleted', async () => {
    await finished();
    await host.clean();
    await expectClean();
  });

  test('after the journal was written', async () => {
    const { journal } = await finished();
    await writeFile(join(host.directory, 'clean.json'), journal);
    await host.clean();
    await expectClean();
  });

  test('after the directory was renamed away', async () => {
    const { journal } = await finished();
    await writeFile(join(host.directory, 'clean.json'), journal);
    await rename(host.directory, join(cache, goneName(SECTOR, UUID)));
    const { bytes } = JSON.parse(journal) as { bytes: number };
    expect(await host.clean()).toMatchObject({ bytesFreed: bytes, storage: { node: NODE } });
    await expectClean();
    expect(await readFile(done, 'utf8')).toBe(journal);
  });

  test('after done/ was written', async () => {
    const { journal } = await finished();
    await writeFile(join(host.directory, 'clean.json'), journal);
    await rename(host.directory, join(cache, goneName(SECTOR, UUID)));
    await writeFile(done, journal);
    await host.clean();
    await expectClean();
  });

  test('during the deletion', async () => {
    const { journal } = await finished();
    await writeFile(done, journal);
    await rename(host.directory, join(cache, goneName(SECTOR, UUID)));
    for (const name of ['1/P1-1', 'sector.json'])
      await rm(join(cache, goneName(SECTOR, UUID), name), { recursive: true });
    await host.clean();
    await expectClean();
  });

  test('after everything was done', async () => {
    await finished();
    await host.clean();
    await host.clean();
    await expectClean();
  });

  test('and sealflow was upgraded meanwhile: the receipt still counts as its own', async () => {
    await finished();
    await host.clean({}, {}, { identity: { version: '0.0.2' } });
    await expectClean();
  });
});

describe('a worker that shuts down', () => {
  test('interrupts P6, and the next worker resumes it', async () => {
    const task = host.offer(
      'cleanSector',
      host.cleanInput(),
      {},
      {
        scratch: {
          openGroup: async () => {
            await Promise.resolve();
            shutDown(task.env);
            return host.group;
          },
        },
      },
    );
    expect(await failureFrom(task.done)).toMatchObject({ type: 'Draining', details: [{ host: HOST }] });
    expect(existsSync(host.path('1/P1-1', 'sc-02-data-layer-1.dat'))).toBe(true);
    await host.clean();
    await expectClean();
  });
});

describe('nothing is deleted', () => {
  test.each(['link', '1/P2-1/link', '1/P9/d/link', '1/link'])(
    'with a symbolic link %s in the sector directory',
    async (name) => {
      await mkdir(join(host.directory, name, '..'), { recursive: true });
      await symlink(host.root, join(host.directory, name));
      const before = await snapshot(host.directory);
      const thrown = await failureFrom(host.clean());
      expect(thrown).toMatchObject({ type: 'NotOurs', nonRetryable: true });
      expect(thrown.message).toContain('is a symbolic link');
      const [left = ''] = await readdir(cache);
      const after = await snapshot(join(cache, left));
      expect(after).toEqual({
        ...before,
        ...('clean.json' in after && { 'clean.json': after['clean.json'] }),
      });
      // An operator removes it, and P6 continues.
      await rm(join(cache, left, name));
      await host.clean();
      await expectClean();
    },
  );

  test.each(['sealed', 'cache', 'receipts', 'cache/s-t01000-7', '.sealflow'])(
    'and nothing outside is touched, with a symbolic link %s on the storage node',
    async (name) => {
      const outside = join(host.root, 'outside');
      await mkdir(outside);
      if (name === '.sealflow') await cp(onNode(name), outside, { recursive: true });
      const [before, others] = [await snapshot(host.directory), await snapshot(outside)];
      await mkdir(join(onNode(name), '..'), { recursive: true });
      await rm(onNode(name), { recursive: true, force: true });
      await symlink(outside, onNode(name));
      const thrown = await failureFrom(host.clean());
      expect(thrown).toMatchObject({ type: 'NotOurs', nonRetryable: true });
      expect(thrown.message).toBe(`${HOST}: ${onNode(name)} is a symbolic link`);
      expect(await snapshot(host.directory)).toEqual(before);
      expect(await snapshot(outside)).toEqual(others);
      await rm(onNode(name));
      if (name === '.sealflow') await cp(outside, onNode(name), { recursive: true });
      await host.clean();
      await expectClean();
    },
  );

  test('when the copy or the sector is a symbolic link itself', async () => {
    for (const path of [part, host.directory]) {
      const aside = join(host.root, 'aside');
      await rename(path, aside);
      await symlink(aside, path);
      const before = await snapshot(aside);
      expect(await failureFrom(host.clean())).toMatchObject({
        type: 'NotOurs',
        message: `${HOST}: ${path} is a symbolic link`,
      });
      expect(await snapshot(aside)).toEqual(before);
      await rm(path);
      await rename(aside, path);
    }
    await host.clean();
    await expectClean();
  });

  test.each(['P1', 'P2', 'P3', 'P4', 'P5'] as const)('when the result of %s is gone', async (phase) => {
    host.hurry();
    await rm(host.path(`1/${phase}-1`, 'result.json'));
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'StepBack', details: [{ from: phase }] });
    expect(existsSync(host.path('1/P1-1', 'sc-02-data-layer-1.dat'))).toBe(true);
    expect(existsSync(onNode('sealed'))).toBe(false);
  });

  test('when another run has claimed the sector', async () => {
    await host.run('P1', {}, { runId: OTHER_RUN_ID });
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'ClaimedByOther' });
    expect(existsSync(host.path('1/P1-1', 'sc-02-data-layer-1.dat'))).toBe(true);
  });

  test.each([
    ['is not in the config', () => ({ nodes: { directories: [] } })],
    ['is not mounted', () => ({ nodes: { directories: [join(host.root, 'elsewhere', NODE)] } })],
  ])('when the storage node %s', async (_, deps) => {
    expect(await failureFrom(host.clean({}, {}, deps()))).toMatchObject({ type: 'MountMissing' });
    expect(existsSync(host.path('1/P1-1', 'sc-02-data-layer-1.dat'))).toBe(true);
    expect(existsSync(join(host.root, 'elsewhere'))).toBe(false);
  });

  test('when neither the directory nor done/ exists: another file system may be mounted', async () => {
    host.hurry();
    await rename(host.directory, join(host.root, 'away'));
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'StepBack', details: [{ from: 'P1' }] });
    expect(existsSync(done)).toBe(false);
  });
});
