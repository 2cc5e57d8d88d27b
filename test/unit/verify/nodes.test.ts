import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { sectorName, sectorOf } from '../../../src/sector.js';
import { copiesOn, findCopies, openNode } from '../../../src/verify/nodes.js';
import { unknownFilesOn } from '../../../src/verify/unknown-files.js';
import { hangMount } from '../../helpers/fifo.js';
import { changeReceipt, storeSectors } from '../../helpers/stored.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let root: string;
beforeEach(async () => {
  root = await temporaryDirectory();
});

/** An empty node with such names in its receipts/. */
async function nodeWith(...names: string[]): Promise<string> {
  const node = join(root, 'node');
  await mkdir(join(node, 'receipts'), { recursive: true });
  for (const name of names) await writeFile(join(node, 'receipts', name), '{}');
  return node;
}

describe('a storage node', () => {
  test('has the sectors of its receipts, in order', async () => {
    const node = await nodeWith(
      's-t01000-10.json',
      's-t01000-9.json',
      's-t0999-11.json',
      's-t01000-9.json.uuid',
      'x.json',
    );
    const { sectors, problem } = await openNode(node);
    expect({ names: sectors.map(sectorName), problem }).toEqual({
      names: ['t0999/11', 't01000/9', 't01000/10'],
      problem: undefined,
    });
  });

  test('may have no receipts yet', async () => {
    await mkdir(join(root, 'sealed'));
    expect(await openNode(root)).toEqual({ directory: root, sectors: [] });
  });

  test('is nothing else', async () => {
    await writeFile(join(root, 'file'), '');
    for (const [directory, what] of [
      [join(root, 'none'), 'is not there: is it mounted?'],
      [join(root, 'file'), 'is no directory'],
      [root, 'is no storage node: it has neither receipts/ nor sealed/'],
    ] as const) {
      const message = `${directory} ${what}`;
      await expect(openNode(directory)).rejects.toMatchObject({ name: 'UserError', exitCode: 2, message });
    }
  });

  test('whose receipts/ is a link, or that hangs, has a problem', async () => {
    await mkdir(join(root, 'elsewhere'));
    await symlink(join(root, 'elsewhere'), join(root, 'receipts'));
    const path = join(root, 'receipts');
    expect((await openNode(root)).problem).toBe(`${path} is a symbolic link, which is not followed`);
    await rm(path);
    await mkdir(path);
    const comeBack = await hangMount(root);
    expect((await openNode(root)).problem).toMatch(new RegExp(`^${root} is hung: no answer since `));
    await comeBack();
    expect((await openNode(root)).problem).toBeUndefined();
  });
});

describe('sectors', () => {
  const sectors = ['t01000/1', 't01000/2', 't01000/2', 't01000/9'].map(sectorOf);
  const node = (directory: string, numbers: number[], problem?: string) => ({
    ...{ directory, problem },
    sectors: numbers.map((number) => sectorOf(`t01000/${number}`)),
  });
  const namesOf = (copies: ReturnType<typeof copiesOn>): string[] =>
    copies.map((copy) => `${copy.node} ${sectorName(copy.sector)}`);

  test('are looked for on each node', () => {
    const { copies, missing } = findCopies([node('/a', [1, 2]), node('/b', [2, 3])], sectors, true);
    expect(namesOf(copies)).toEqual(['/a t01000/1', '/a t01000/2', '/b t01000/2']);
    const found = 'no receipt on /a, /b';
    expect(missing).toEqual([
      {
        ...{ sector: 't01000/9', result: 'wrong', quick: true, bytes: 0, seconds: 0 },
        checks: [{ name: 'receipt', ok: false, found }],
      },
    ]);
    expect(namesOf(copiesOn([node('/a', [1, 2]), node('/b', [3])]))).toEqual([
      '/a t01000/1',
      '/a t01000/2',
      '/b t01000/3',
    ]);
  });

  test('are not called missing while a node cannot be looked at', () => {
    const { missing } = findCopies([node('/a', [1, 2]), node('/b', [], 'it hangs')], sectors, false);
    expect(missing).toMatchObject([{ result: 'not checked', why: 'no receipt on /a; /b: it hangs' }]);
    const none = findCopies([node('/b', [], 'it hangs')], sectors, false);
    expect(none.missing[0]?.why).toBe('no node can be looked at; /b: it hangs');
  });
});

describe('unknownFiles', () => {
  test('are what no receipt names, unfinished copies, and names that are no receipt’s', async () => {
    const node = await storeSectors(join(root, 'node'), 2);
    expect(await unknownFilesOn(node)).toEqual({ noReceipt: [], unfinished: [], noName: [] });
    for (const name of ['cache/s-t01000-9', '.sealflow', '.sealflow/s-t01000-3.uuid'])
      await mkdir(join(node, name));
    for (const name of ['sealed/s-t01000-9', 'sealed/x', 'cache/s-t01000-1/more', 'receipts/x'])
      await writeFile(join(node, name), '');
    expect(await unknownFilesOn(node)).toEqual({
      noReceipt: ['sealed/s-t01000-9', 'sealed/x', 'cache/s-t01000-9', 'cache/s-t01000-1/more'],
      unfinished: ['.sealflow/s-t01000-3.uuid'],
      noName: ['receipts/x'],
    });
  });

  test('are not the files of a sector whose receipt cannot be believed', async () => {
    const node = await storeSectors(join(root, 'node'), 1);
    await changeReceipt(node, 't01000/1', () => 'none');
    expect(await unknownFilesOn(node)).toMatchObject({ noReceipt: [] });
    await rm(join(node, 'cache/s-t01000-1'), { recursive: true });
    await symlink(root, join(node, 'cache/s-t01000-1'));
    expect(await unknownFilesOn(node)).toMatchObject({ noReceipt: [] });
  });
});
