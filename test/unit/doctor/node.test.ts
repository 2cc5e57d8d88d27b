/** What doctor says of a directory that is to be a storage node. */
import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { nodeChecks } from '../../../src/doctor/mount-checks.js';
import type { Finding } from '../../../src/doctor/finding.js';
import { startChecks } from '../../../src/doctor/run-checks.js';
import { setUpGroupDirectory } from '../../../src/group/marker.js';
import { lacks } from '../../helpers/abilities.js';
import { run } from '../../helpers/commands.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { config } from './samples.js';

const NO_MOUNTS = await lacks('mount');
const PLACE = '10.10.4.23';
/** Whether the file system has hard links. */
let links = true;
vi.mock('../../../src/mounts/remote-fs.js', async (original) => {
  const real = await original<typeof import('../../../src/mounts/remote-fs.js')>();
  const none = Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
  return {
    ...real,
    link: (from: string, to: string) => (links ? real.link(from, to) : Promise.reject(none)),
  };
});

let root: string;
let localDir: string;
let node: string;
beforeEach(async () => {
  links = true;
  root = await temporaryDirectory();
  localDir = join(root, 'sealer');
  node = join(root, 'nodes', PLACE);
  await mkdir(localDir);
  await mkdir(node, { recursive: true });
  await setUpGroupDirectory(localDir, 1, PLACE);
});

const check = (...storageNodes: string[]): Promise<Finding[]> =>
  Promise.all(startChecks(nodeChecks({ ...config(), localDir, storageNodes })));

const APART = {
  result: 'fail',
  wanted: "a directory outside the group's own, on one file system that supports hard links",
  hint: 'give storage-nodes a mounted directory that is not in local_dir, nor around it: P6 deletes what lies in local_dir',
};

describe('a storage node', () => {
  test('on the same disk as local_dir is in order, and nothing is left there', async () => {
    expect(await check(node)).toEqual([
      {
        check: `node ${node}`,
        result: 'ok',
        found: "outside the group's directory, supports hard links",
        wanted: '',
        hint: '',
      },
    ]);
    expect(await readdir(node)).toEqual([]);
  });

  test('that is not there is told by another check', async () => {
    expect(await check(join(root, 'none'))).toMatchObject([{ result: 'skipped', found: 'missing' }]);
  });

  test('that is the place of the group, by a link, fails', async () => {
    const view = join(root, 'view');
    const place = join(localDir, 'nfs', PLACE);
    await symlink(place, view);
    const [finding] = await check(view);
    expect(finding).toMatchObject(APART);
    expect(finding?.found).toContain(`${view} is ${place}: a storage node must be apart`);
  });

  test.skipIf(NO_MOUNTS)('that is a bind mount of local_dir’s place fails', async () => {
    await run('mount', '--bind', join(localDir, 'nfs', PLACE), node);
    onTestFinished(async () => {
      await run('umount', '--lazy', node);
    });
    expect(await check(node)).toMatchObject([APART]);
  });

  test('whose sealed is a symbolic link fails', async () => {
    await symlink(root, join(node, 'cache'));
    const [finding] = await check(node);
    expect(finding).toMatchObject({ result: 'fail' });
    expect(finding?.found).toContain(join(node, 'cache'));
    const other = join(root, 'nodes/other');
    await mkdir(join(root, 'plain'));
    await mkdir(other);
    await symlink(join(root, 'plain'), join(other, 'sealed'));
    expect(await check(other)).toMatchObject([
      {
        result: 'fail',
        found: `${join(other, 'sealed')} is a symbolic link`,
        hint: 'move its contents into a plain directory of the node, or use another node',
      },
    ]);
  });

  test('without hard links fails, and nothing is left there', async () => {
    links = false;
    const [finding] = await check(node);
    expect(finding).toMatchObject({ result: 'fail' });
    expect(finding?.found).toContain(`${node} does not support hard links, which P6 needs: EPERM`);
    expect(await readdir(node)).toEqual([]);
  });

  test('that is another node under a second name is told', async () => {
    const second = join(root, 'nodes/second');
    await symlink(node, second);
    expect(await check(node, second)).toMatchObject([
      { result: 'ok' },
      { result: 'warn', found: `${second} is ${node}` },
    ]);
  });
});
