import { existsSync } from 'node:fs';
import { link, lutimes, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MountHungError } from '../../../src/mounts/mounts.js';
import { MountWrongError } from '../../../src/mounts/guard.js';
import { abortedFile, doneFile, groupDirectories, sectorDir, type OpenGroup } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { chooseNode, type Chosen, type Wanted } from '../../../src/storage/choose-node.js';
import { listStaging } from '../../../src/storage/reservations.js';
import { makePart, OTHER_GROUP } from '../../helpers/staging.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const MB = 1e6;
const HOUR = 3_600_000;

/** Free bytes by directory, instead of those of the test's disk. */
const free = new Map<string, number>();
/** Nodes whose file system has no hard links. */
const linkless = new Set<string>();
vi.mock('../../../src/mounts/remote-fs.js', async (original) => ({
  ...(await original<object>()),
  link: async (from: string, to: string) => {
    if ([...linkless].some((directory) => to.startsWith(directory)))
      throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
    await link(from, to);
  },
  statfs: (path: string) => Promise.resolve({ bavail: free.get(path) ?? 0, bsize: 1 }),
}));

let root: string;
let group: OpenGroup;
beforeEach(async () => {
  root = await temporaryDirectory();
  group = { root: join(root, 'local'), subdirectory: 'here', id: '3f1b8f0a-7d0e-4f6e-9a53-0f2c5d6b7a81' };
  for (const path of [group.root, ...groupDirectories(group)]) await mkdir(path);
  free.clear();
  linkless.clear();
});

/** A node with so many bytes free. */
async function node(name: string, bytes: number): Promise<string> {
  const directory = join(root, name);
  await mkdir(directory);
  free.set(directory, bytes);
  return directory;
}

const wrong = new Map<string, Error>();
beforeEach(() => wrong.clear());

const choose = (nodes: string[], changes: Partial<Wanted> = {}): Promise<Chosen> =>
  chooseNode(
    {
      directories: nodes,
      check: (directory) => {
        const error = wrong.get(directory);
        return error ? Promise.reject(error) : Promise.resolve();
      },
    },
    {
      group,
      sector: sectorOf('t01000/7'),
      bytes: 10 * MB,
      before: undefined,
      replaces: new Set(),
      host: '10.0.0.1',
      ...changes,
    },
  );

describe('the node', () => {
  test('with the most room is taken, and the room reserved there', async () => {
    const [a, b] = [await node('a', 50 * MB), await node('b', 60 * MB)];
    const { node: chosen, staging, passedOver } = await choose([a, b]);
    expect([chosen, passedOver]).toEqual([b, []]);
    expect(staging).toMatch(/^\.sealflow\/s-t01000-7\.[0-9a-f-]{36}$/);
    const [part] = await listStaging(b);
    expect(part).toMatchObject({
      directory: join(b, staging),
      note: { group: group.id, sector: 't01000/7', bytes: 10 * MB, host: '10.0.0.1' },
    });
    expect(await readdir(a)).toEqual([]);
  });

  test('is chosen by what is left after running copies have finished', async () => {
    const [a, b] = [await node('a', 100 * MB), await node('b', 50 * MB)];
    await makePart(a, group, 't01000/8', { bytes: 60 * MB });
    expect((await choose([a, b])).node).toBe(b);
    // Written bytes are no longer free: they must not count twice.
    free.set(a, 70 * MB);
    await makePart(a, { ...group, id: OTHER_GROUP }, 't01000/9', { bytes: MB, written: MB });
    free.set(b, 5 * MB);
    expect((await choose([a, b])).node).toBe(a);
  });

  test('fills up evenly with the others', async () => {
    const sizes = [1000, 700, 500];
    const nodes = await Promise.all(sizes.map((size, i) => node(`n${i}`, size * MB)));
    for (let number = 0; number < 100; number++) {
      const { node: chosen } = await choose(nodes, { sector: sectorOf(`t01000/${number}`) });
      // Half of the copies finish, half go on.
      if (number % 2) continue;
      free.set(chosen, (free.get(chosen) ?? 0) - 10 * MB);
      const parts = await listStaging(chosen);
      const own = parts.find(({ note }) => note?.sector === `t01000/${number}`);
      if (own) await rm(own.directory, { recursive: true });
    }
    const left = await Promise.all(
      nodes.map(async (directory) => {
        const reserved = (await listStaging(directory)).reduce(
          (sum, { note }) => sum + (note?.bytes ?? 0),
          0,
        );
        return ((free.get(directory) ?? 0) - reserved) / MB;
      }),
    );
    expect(Math.max(...left) - Math.min(...left)).toBeLessThanOrEqual(10);
  });

  test('of the previous attempt is chosen again, though others have more room', async () => {
    const [a, b] = [await node('a', 15 * MB), await node('b', 60 * MB)];
    expect((await choose([a, b], { before: 'a' })).node).toBe(a);
  });

  test('of the previous attempt is passed over when it is full, and the reason reported', async () => {
    const [a, b] = [await node('a', 5 * MB), await node('b', 60 * MB)];
    expect(await choose([a, b], { before: 'a' })).toMatchObject({
      node: b,
      passedOver: [`${a}: 5 MB free, 10 MB needed`],
    });
    expect(await readdir(a)).toEqual([]);
  });

  test('may hold the sector’s earlier copies: they are deleted first', async () => {
    const a = await node('a', 4 * MB);
    const earlier = await makePart(a, group, 't01000/7', { bytes: 10 * MB, written: 8 * MB });
    await expect(choose([a])).rejects.toMatchObject({ type: 'NoSpace' });
    expect((await choose([a], { replaces: new Set([relative(a, earlier)]) })).node).toBe(a);
  });
});

describe('a reservation', () => {
  test('of an hour ago, by the clock of the node, no longer holds room', async () => {
    const a = await node('a', 15 * MB);
    await makePart(a, { ...group, id: OTHER_GROUP }, 't01000/8', { bytes: 10 * MB, silentFor: HOUR * 0.9 });
    await expect(choose([a])).rejects.toMatchObject({
      type: 'NoSpace',
      message: `no storage node has room: ${a}: 5 MB free, 10 MB needed`,
    });
    expect(await listStaging(a)).toHaveLength(1);
    const b = await node('b', 15 * MB);
    const stale = await makePart(b, { ...group, id: OTHER_GROUP }, 't01000/8', {
      bytes: 10 * MB,
      silentFor: HOUR * 1.1,
    });
    expect((await choose([b])).node).toBe(b);
    // Another group's is not ours to delete.
    expect(existsSync(stale)).toBe(true);
  });

  test('never overbooks: of many at once no more succeed than there is room for', async () => {
    const a = await node('a', 35 * MB);
    const attempts = Array.from({ length: 8 }, (_, i) => choose([a], { sector: sectorOf(`t01000/${i}`) }));
    const ends = await Promise.allSettled(attempts);
    const granted = ends.filter(({ status }) => status === 'fulfilled').length;
    expect(granted).toBeLessThanOrEqual(3);
    for (const end of ends)
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ type: 'NoSpace' });
    expect(await listStaging(a)).toHaveLength(granted);
  });

  test('and what was copied, of a sector that P6 or an abort has deleted, is deleted after a day, on a full node too', async () => {
    const a = await node('a', 0);
    await mkdir(sectorDir(group, sectorOf('t01000/8')));
    await writeFile(doneFile(group, sectorOf('t01000/8')), '{}');
    await writeFile(doneFile(group, sectorOf('t01000/9')), '{}');
    await writeFile(abortedFile(group, sectorOf('t01000/10')), '{}');
    const old = { written: 10, silentFor: 25 * HOUR };
    const parts = {
      'begun again': await makePart(a, group, 't01000/8', old),
      sealed: await makePart(a, group, 't01000/9', old),
      aborted: await makePart(a, group, 't01000/10', old),
      'of today': await makePart(a, group, 't01000/9', { written: 10, silentFor: 23 * HOUR }),
      'of nobody knows what': await makePart(a, group, 't01000/11', old),
      'of another group': await makePart(a, { ...group, id: OTHER_GROUP }, 't01000/9', old),
    };
    await choose([a]).catch(() => undefined);
    const left = Object.entries(parts).filter(([, path]) => existsSync(path));
    expect(left.map(([name]) => name)).toEqual([
      'begun again',
      'of today',
      'of nobody knows what',
      'of another group',
    ]);
  });

  test('that cannot be deleted fails no other sector’s task, nor do another group’s copies', async () => {
    const a = await node('a', 100 * MB);
    await writeFile(doneFile(group, sectorOf('t01000/9')), '{}');
    const orphan = await makePart(a, group, 't01000/9', { written: 10 });
    await symlink('/', join(orphan, 'link'));
    const then = new Date(Date.now() - 25 * HOUR);
    for (const name of ['copy.json', 'sealed', 'link', '.']) await lutimes(join(orphan, name), then, then);
    expect((await choose([a])).node).toBe(a);
    const [gone = ''] = (await readdir(join(a, '.sealflow'))).filter((name) => name.startsWith('.gone-'));
    expect(await readdir(join(a, '.sealflow', gone))).toContain('link');
    expect((await choose([a], { sector: sectorOf('t01000/12') })).node).toBe(a);
  });

  test('is not an orphan when the group’s directory is no longer mounted', async () => {
    const a = await node('a', 100 * MB);
    const finished = await makePart(a, group, 't01000/9', { written: 10, silentFor: 100 * HOUR });
    await rename(group.root, `${group.root}.away`);
    await mkdir(group.root);
    await choose([a]);
    expect(existsSync(finished)).toBe(true);
  });
});

describe('an unusable node', () => {
  test('is passed over, and the reason reported', async () => {
    const [a, b] = [await node('a', 60 * MB), await node('b', 50 * MB)];
    wrong.set(a, new MountWrongError(`${a} is mounted read-only`));
    const { node: chosen, passedOver } = await choose([a, b]);
    expect([chosen, passedOver]).toEqual([b, [`${a} is mounted read-only`]]);
  });

  test('is passed over when writing to it fails', async () => {
    const [a, b] = [join(root, 'not-there'), await node('b', 50 * MB)];
    free.set(a, 60 * MB);
    const { node: chosen, passedOver } = await choose([a, b]);
    expect([chosen, passedOver.length]).toEqual([b, 1]);
    expect(passedOver[0]).toMatch(/^ENOENT: .*not-there/);
    expect(existsSync(a)).toBe(false);
  });

  test('is passed over when it has no hard links, and nothing is left there', async () => {
    const [a, b] = [await node('a', 60 * MB), await node('b', 50 * MB)];
    linkless.add(a);
    const { node: chosen, passedOver } = await choose([a, b]);
    expect([chosen, passedOver.length]).toEqual([b, 1]);
    expect(passedOver[0]).toContain(
      `${join(a, '.sealflow')} does not support hard links, which P6 needs: EPERM`,
    );
    expect(await readdir(join(a, '.sealflow'))).toEqual([]);
    await expect(choose([a])).rejects.toMatchObject({ type: 'MountMissing' });
  });

  test('is tested for hard links only once', async () => {
    const a = await node('a', 60 * MB);
    await choose([a]);
    linkless.add(a);
    expect((await choose([a])).node).toBe(a);
  });

  test('is passed over when it is the group’s own directory', async () => {
    const [a, b] = [join(group.root, 'nfs/here'), await node('b', 50 * MB)];
    free.set(a, 60 * MB);
    const { node: chosen, passedOver } = await choose([a, b]);
    expect(chosen).toBe(b);
    expect(passedOver[0]).toContain(`${a} is ${a}: a storage node must be apart`);
  });

  test('is waited for when it hangs and no other can be used', async () => {
    const [a, b] = [await node('a', 60 * MB), await node('b', 50 * MB)];
    const hung = new MountHungError(a, new Date());
    wrong.set(a, hung).set(b, new MountWrongError(`${b} is not there: is it mounted?`));
    await expect(choose([a, b])).rejects.toBe(hung);
    wrong.delete(b);
    expect((await choose([a, b])).node).toBe(b);
  });

  test('and no other: all reasons are reported', async () => {
    const a = await node('a', 60 * MB);
    wrong.set(a, new MountWrongError(`${a} is on the system disk sda: is it mounted?`));
    await expect(choose([a])).rejects.toMatchObject({
      type: 'MountMissing',
      message: `no storage node is usable: ${a} is on the system disk sda: is it mounted?`,
    });
    await expect(choose([])).rejects.toMatchObject({
      type: 'MountMissing',
      message: 'no storage node is usable: none is configured',
    });
  });
});
