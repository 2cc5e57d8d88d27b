/** A storage node that is the group's own directory under another name: the copy's final names would be the scratch's. */
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Deps } from '../../../src/activities/index.js';
import { readJson } from '../../../src/files.js';
import { doneFile, markerFile } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { lacks } from '../../helpers/abilities.js';
import { run } from '../../helpers/commands.js';
import { createSite, failureFrom, NODE, snapshot, type Site } from '../../helpers/site.js';

const NO_MOUNTS = await lacks('mount');
const SECTOR = sectorOf('t01000/7');
const APART = "a storage node must be apart from the group's own directory";

let site: Site;
/** `nfs/<place>` of the group: has directories of the names that a node has. */
let place: string;
beforeEach(async () => {
  site = await createSite();
  place = join(site.group.root, 'nfs', NODE);
});

const unmount = async (path: string): Promise<void> => {
  await run('umount', '--lazy', path);
};

const withNode = (...storageNodes: string[]): Partial<Deps> => ({ storageNodes });

/** Binds a directory to a new place of the same last name. */
async function bind(directory: string): Promise<string> {
  const view = join(site.root, 'bound', basename(directory));
  await mkdir(view, { recursive: true });
  await run('mount', '--bind', directory, view);
  onTestFinished(() => unmount(view));
  return view;
}

async function symlinkTo(directory: string): Promise<string> {
  const view = join(await mkdtemp(join(site.root, 'linked-')), basename(directory));
  await symlink(directory, view);
  return view;
}

describe('P5 copies nothing to', () => {
  beforeEach(() => site.seals('P1', 'P2'));

  async function expectRefused(node: string): Promise<void> {
    const before = await snapshot(site.directory);
    const thrown = await failureFrom(site.run('P5', {}, {}, withNode(node)));
    expect(thrown).toMatchObject({ type: 'MountMissing' });
    expect(thrown.message).toContain(APART);
    expect(thrown.message).toContain(node);
    expect(await snapshot(site.directory)).toEqual(before);
    expect(existsSync(join(node, '.sealflow'))).toBe(false);
  }

  test('the place of the group in local_dir', () => expectRefused(place));
  test('local_dir itself', () => expectRefused(site.group.root));
  test('a directory in local_dir', async () => {
    const inside = join(site.group.root, 'storage/10.10.4.99');
    await mkdir(inside, { recursive: true });
    await expectRefused(inside);
  });
  test('a directory around local_dir', () => expectRefused(site.root));
  test('a symbolic link to the place', async () => expectRefused(await symlinkTo(place)));
  test.each(['sealed', 'cache'])('a node whose %s is the group’s by a link', async (name) => {
    await symlink(join(place, name), join(site.node, name));
    await expectRefused(site.node);
  });
  test('another group’s directory, told by its marker', async () => {
    const other = join(site.root, 'other');
    await mkdir(join(other, 'nfs', NODE), { recursive: true });
    await writeFile(markerFile(other), '{}');
    await expectRefused(join(other, 'nfs', NODE));
  });
  test.skipIf(NO_MOUNTS)('a bind mount of the place', async () => expectRefused(await bind(place)));
  test.skipIf(NO_MOUNTS)('a bind mount of what is around local_dir', async () => {
    const view = join(await mkdtemp('/tmp/sealflow-bound-'), 'view');
    await mkdir(view);
    await run('mount', '--bind', site.root, view);
    onTestFinished(async () => {
      await run('umount', '--lazy', view);
      await rm(dirname(view), { recursive: true });
    });
    await expectRefused(view);
  });

  test('it while another node will do', async () => {
    const own = join(site.root, 'nodes/own');
    await symlink(place, own);
    expect(await site.run('P5', {}, {}, withNode(own, site.node))).toMatchObject({ node: NODE });
  });
});

describe('P5 copies nothing to a node', () => {
  beforeEach(() => site.seals('P1', 'P2'));

  test.each(['sealed', 'cache', 'receipts', '.sealflow'])('whose %s is a symbolic link', async (name) => {
    const outside = join(site.root, 'outside');
    await mkdir(outside);
    await symlink(outside, join(site.node, name));
    const thrown = await failureFrom(site.run('P5'));
    expect(thrown).toMatchObject({ type: 'MountMissing' });
    expect(thrown.message).toContain(`${join(site.node, name)} is a symbolic link`);
    expect(await snapshot(outside)).toEqual({});
  });

  test.skipIf(NO_MOUNTS)('whose sealed is another file system', async () => {
    const sealed = join(site.node, 'sealed');
    await mkdir(sealed);
    await run('mount', '-t', 'tmpfs', 'none', sealed);
    onTestFinished(() => unmount(sealed));
    const thrown = await failureFrom(site.run('P5'));
    expect(thrown.message).toContain(`${sealed} is another mount than ${site.node}`);
  });
});

describe('P5 copies nothing to a node of two mounts', () => {
  test.skipIf(NO_MOUNTS)('that are one file system: there are no hard links between them', async () => {
    await site.seals('P1', 'P2');
    const [sealed, elsewhere] = [join(site.node, 'sealed'), join(site.root, 'elsewhere')];
    for (const path of [sealed, elsewhere]) await mkdir(path);
    await run('mount', '--bind', elsewhere, sealed);
    onTestFinished(() => unmount(sealed));
    const thrown = await failureFrom(site.run('P5'));
    expect(thrown.message).toContain(`${sealed} is another mount than ${site.node}`);
  });
});

describe('P6 deletes nothing', () => {
  /** The copy as P5 made it, moved to where a node that is the group's own place would have it. */
  async function copiedTo(node: string): Promise<void> {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await rename(join(site.node, '.sealflow'), join(node, '.sealflow'));
  }

  async function expectNothingLost(deps: Partial<Deps>, told: string): Promise<void> {
    const before = await snapshot(site.directory);
    // Once more: the hint of the first failure may have been followed.
    for (let i = 0; i < 2; i++) {
      const thrown = await failureFrom(site.clean({}, {}, deps));
      expect(thrown.message).toContain(told);
      expect(await snapshot(site.directory)).toEqual(before);
      expect(existsSync(doneFile(site.group, SECTOR))).toBe(false);
      await rm(join(place, 'sealed', 's-t01000-7'), { force: true });
    }
  }

  test('with a node that is the place of the group', async () => {
    await copiedTo(place);
    await expectNothingLost(withNode(place), APART);
  });

  test('with a symbolic link to the place', async () => {
    await copiedTo(place);
    await expectNothingLost(withNode(await symlinkTo(place)), APART);
  });

  test.skipIf(NO_MOUNTS)('with a bind mount of the place', async () => {
    await copiedTo(place);
    await expectNothingLost(withNode(await bind(place)), APART);
  });

  test('when the final name is the scratch’s own file', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await mkdir(join(site.node, 'sealed'));
    const final = join(site.node, 'sealed/s-t01000-7');
    await link(site.path('1/P2-1', 'sealed'), final);
    const before = await snapshot(site.directory);
    const thrown = await failureFrom(site.clean());
    expect(thrown).toMatchObject({ type: 'CopyDiffers' });
    expect(thrown.message).toContain(`${final} is the scratch's own file`);
    expect(await snapshot(site.directory)).toEqual(before);
    await rm(final);
    await site.clean();
    expect(existsSync(site.directory)).toBe(false);
  });

  test('when the copy itself is the scratch’s own file', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const result = (await readJson(site.path('1/P5-1', 'result.json'))) as { facts: { into: string } };
    const part = join(site.node, result.facts.into, 'sealed');
    await rm(part);
    await link(site.path('1/P2-1', 'sealed'), part);
    const thrown = await failureFrom(site.clean());
    expect(thrown).toMatchObject({ type: 'CopyDiffers' });
    expect(thrown.message).toContain(`${part} is the scratch's own file`);
    expect(existsSync(site.path('1/P2-1', 'sealed'))).toBe(true);
  });

  test('when the node becomes the group’s own directory while P6 is at work', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    let looks = 0;
    let before: Record<string, string> = {};
    const checkNode = async (): Promise<void> => {
      // The second look is at what other nodes hold of the sector: by then all is published.
      if (++looks !== 2) return;
      before = await snapshot(site.directory);
      const cache = join(site.node, 'cache/s-t01000-7');
      for (const name of await readdir(cache)) await rename(join(cache, name), join(site.directory, name));
      await rename(join(site.node, 'sealed/s-t01000-7'), join(place, 'sealed/s-t01000-7'));
      await rename(join(site.node, 'receipts'), join(place, 'receipts'));
      await rename(site.node, `${site.node}.away`);
      await symlink(place, site.node);
    };
    const thrown = await failureFrom(site.clean({}, {}, { checkNode }));
    expect(looks).toBe(2);
    expect(thrown).toMatchObject({ type: 'MountMissing' });
    expect(thrown.message).toContain(APART);
    expect(await snapshot(site.directory)).toMatchObject(before);
    expect(existsSync(join(site.directory, 'p_aux'))).toBe(true);
  });

  // So it looks through a mount of this host's own export: other devices, the same names.
  test('when the final directory holds what only a sector’s own directory holds', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const cache = join(site.node, 'cache/s-t01000-7');
    await mkdir(cache, { recursive: true });
    await writeFile(join(cache, 'sector.json'), '{}');
    const before = await snapshot(site.directory);
    const thrown = await failureFrom(site.clean());
    expect(thrown.message).toContain(`${cache} on the storage node is ${site.directory}, the scratch itself`);
    expect(await snapshot(site.directory)).toMatchObject(before);
  });

  test('when a published file has gone meanwhile', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    let looks = 0;
    const final = join(site.node, 'sealed/s-t01000-7');
    const checkNode = async (): Promise<void> => {
      if (++looks === 2) await rm(final);
    };
    const thrown = await failureFrom(site.clean({}, {}, { checkNode }));
    expect(thrown).toMatchObject({ type: 'CopyDiffers', message: `${final} is not there` });
    expect(existsSync(site.path('1/P2-1', 'sealed'))).toBe(true);
  });

  test('when a published file lies anywhere in the sector’s directory', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const result = (await readJson(site.path('1/P5-1', 'result.json'))) as { facts: { into: string } };
    const other = site.path('1/invalidated-P2-1');
    await mkdir(other);
    await link(join(site.node, result.facts.into, 'p_aux'), join(other, 'p_aux'));
    const before = await snapshot(site.directory);
    const thrown = await failureFrom(site.clean());
    expect(thrown.message).toContain(`is ${join(other, 'p_aux')}, the scratch itself: nothing is deleted`);
    const { 'clean.json': _, ...after } = await snapshot(site.directory);
    expect(after).toEqual(before);
    await rm(other, { recursive: true });
    await site.clean();
    expect(existsSync(site.directory)).toBe(false);
  });
});
