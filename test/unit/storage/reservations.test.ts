import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { groupDirectories, type OpenGroup } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import {
  releaseStaging,
  listStaging,
  removeOrphans,
  removeStaging,
  reserveStaging,
} from '../../../src/storage/reservations.js';
import { age, makePart, OTHER_GROUP } from '../../helpers/staging.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let node: string;
let group: OpenGroup;
const sector = sectorOf('t01000/7');
beforeEach(async () => {
  const root = await temporaryDirectory();
  node = join(root, '10.10.4.24');
  group = { root: join(root, 'local'), subdirectory: 'here', id: '3f1b8f0a-7d0e-4f6e-9a53-0f2c5d6b7a81' };
  for (const path of [node, group.root, ...groupDirectories(group)]) await mkdir(path);
});

const names = (): Promise<string[]> => readdir(join(node, '.sealflow'));

test('a reservation exists with its note, or not at all', async () => {
  const staging = await reserveStaging(node, { group, sector }, 1000, 'h');
  expect(await names()).toEqual([staging.split('/')[1]]);
  expect(await readdir(join(node, staging))).toEqual(['copy.json']);
  await releaseStaging(node, staging);
  expect(await names()).toEqual([]);
  await releaseStaging(node, staging);
});

test('a node that does not exist is not created', async () => {
  const gone = join(node, 'not-mounted');
  await expect(reserveStaging(gone, { group, sector }, 1000, 'h')).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(node)).toEqual([]);
});

test('directories that are not our copies do not count and stay', async () => {
  await mkdir(join(node, '.sealflow'));
  await mkdir(join(node, '.sealflow/of-others'));
  await writeFile(join(node, '.sealflow/of-others/copy.json'), 'not JSON');
  await writeFile(join(node, '.sealflow/file'), '');
  await symlink('/', join(node, '.sealflow/link'));
  expect(await listStaging(node)).toMatchObject([{ note: undefined }]);
  await removeStaging(node, { group, sector });
  await removeOrphans(node, group);
  expect((await names()).sort()).toEqual(['file', 'link', 'of-others']);
});

test('the copies of one sector of one group are deleted, or some of them', async () => {
  const stays = await reserveStaging(node, { group, sector }, 1000, 'h');
  const earlier = await makePart(node, group, 't01000/7', { written: 5000 });
  const others = [
    await makePart(node, group, 't01000/70', { written: 10 }),
    await makePart(node, { ...group, id: OTHER_GROUP }, 't01000/7', { written: 10 }),
  ];
  await removeStaging(node, { group, sector }, new Set([relative(node, earlier)]));
  expect(existsSync(earlier)).toBe(false);
  expect((await listStaging(node)).map(({ directory }) => directory).sort()).toEqual(
    [join(node, stays), ...others].sort(),
  );
  await removeStaging(node, { group, sector });
  expect((await listStaging(node)).map(({ directory }) => directory).sort()).toEqual(others.sort());
});

test('a deletion that was killed is finished by the next one', async () => {
  const half = await makePart(node, group, 't01000/9', { written: 5000 });
  await rename(half, join(node, '.sealflow/.gone-3'));
  expect(await listStaging(node)).toEqual([]);
  await removeStaging(node, { group, sector });
  expect(await names()).toEqual([]);
});

test('a reservation that was killed before it had its name is deleted after a day', async () => {
  await mkdir(join(node, '.sealflow'));
  for (const name of ['.new-1', '.new-2']) {
    await mkdir(join(node, '.sealflow', name));
    await writeFile(join(node, '.sealflow', name, 'copy.json.x'), '{');
  }
  await age(join(node, '.sealflow/.new-1'), 90_000_000, ['copy.json.x']);
  await removeOrphans(node, group);
  expect(await names()).toEqual(['.new-2']);
});

test('concurrent deletions on one node do not make each other fail', async () => {
  const sectors = Array.from({ length: 10 }, (_, i) => `t01000/${i}`);
  for (const name of sectors) {
    const part = await makePart(node, group, name, { written: 1000 });
    for (let file = 0; file < 12; file++) await writeFile(join(part, `sc-${file}`), 'x');
  }
  await Promise.all(sectors.map((name) => removeStaging(node, { group, sector: sectorOf(name) })));
  expect(await names()).toEqual([]);
});
