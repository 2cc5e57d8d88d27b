/**
 * A storage node that is the group's own directory under another name: the copy's final names would be the
 * scratch's.
 */
import { existsSync } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readJson } from '../../../src/files.js';
import { doneFile, markerFile } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { lacks } from '../../helpers/abilities.js';
import { run } from '../../helpers/commands.js';
import {
  createTestHost,
  failureFrom,
  NODE,
  snapshot,
  type TestHost,
  type DepsChanges,
} from '../../helpers/test-host.js';

const NO_MOUNTS = await lacks('mount');
const SECTOR = sectorOf('t01000/7');
const APART = "a storage node must be apart from the group's own directory";

let host: TestHost;
/** The group's subdirectory `nfs/<name>`: has the same directory names as a node. */
let subdirectory: string;
beforeEach(async () => {
  host = await createTestHost();
  subdirectory = join(host.group.root, 'nfs', NODE);
});

const unmount = async (path: string): Promise<void> => {
  await run('umount', '--lazy', path);
};

const withNode = (...storageNodes: string[]): DepsChanges => ({ nodes: { directories: storageNodes } });

/** Bind-mounts a directory to a new path with the same last component. */
async function bind(directory: string): Promise<string> {
  const view = join(host.root, 'bound', basename(directory));
  await mkdir(view, { recursive: true });
  await run('mount', '--bind', directory, view);
  onTestFinished(() => unmount(view));
  return view;
}

async function symlinkTo(directory: string): Promise<string> {
  const view = join(await mkdtemp(join(host.root, 'linked-')), basename(directory));
  await symlink(directory, view);
  return view;
}

describe('P5 copies nothing to', () => {
  beforeEach(() => host.seals('P1', 'P2'));

  async function expectRefused(node: string): Promise<void> {
    const before = await snapshot(host.directory);
    const thrown = await failureFrom(host.run('P5', {}, {}, withNode(node)));
    expect(thrown).toMatchObject({ type: 'MountMissing' });
    expect(thrown.message).toContain(APART);
    expect(thrown.message).toContain(node);
    expect(await snapshot(host.directory)).toEqual(before);
    expect(existsSync(join(node, '.sealflow'))).toBe(false);
  }

  test('the group’s subdirectory in local_dir', () => expectRefused(subdirectory));
  test('local_dir itself', () => expectRefused(host.group.root));
  test('a directory in local_dir', async () => {
    const inside = join(host.group.root, 'storage/10.10.4.99');
    await mkdir(inside, { recursive: true });
    await expectRefused(inside);
  });
  test('a directory around local_dir', () => expectRefused(host.root));
  test('a symbolic link to the subdirectory', async () => expectRefused(await symlinkTo(subdirectory)));
  test.each(['sealed', 'cache'])('a node whose %s is the group’s by a link', async (name) => {
    await symlink(join(subdirectory, name), join(host.node, name));
    await expectRefused(host.node);
  });
  test('another group’s directory, detected by its marker', async () => {
    const other = join(host.root, 'other');
    await mkdir(join(other, 'nfs', NODE), { recursive: true });
    await writeFile(markerFile(other), '{}');
    await expectRefused(join(other, 'nfs', NODE));
  });
  test.skipIf(NO_MOUNTS)('a bind mount of the subdirectory', async () =>
    expectRefused(await bind(subdirectory)),
  );
  test.skipIf(NO_MOUNTS)('a bind mount of what is around local_dir', async () => {
    const view = join(await mkdtemp(join(tmpdir(), 'sealflow-bound-')), 'view');
    await mkdir(view);
    await run('mount', '--bind', host.root, view);
    onTestFinished(async () => {
      await run('umount', '--lazy', view);
      await rm(dirname(view), { recursive: true });
    });
    await expectRefused(view);
  });

  test('it if another node can be used', async () => {
    const own = join(host.root, 'nodes/own');
    await symlink(subdirectory, own);
    expect(await host.run('P5', {}, {}, withNode(own, host.node))).toMatchObject({ node: NODE });
  });
});

describe('P5 copies nothing to a node', () => {
  beforeEach(() => host.seals('P1', 'P2'));

  test.each(['sealed', 'cache', 'receipts', '.sealflow'])('whose %s is a symbolic link', async (name) => {
    const outside = join(host.root, 'outside');
    await mkdir(outside);
    await symlink(outside, join(host.node, name));
    const thrown = await failureFrom(host.run('P5'));
    expect(thrown).toMatchObject({ type: 'MountMissing' });
    expect(thrown.message).toContain(`${join(host.node, name)} is a symbolic link`);
    expect(await snapshot(outside)).toEqual({});
  });

  test.skipIf(NO_MOUNTS)('whose sealed is another file system', async () => {
    const sealed = join(host.node, 'sealed');
    await mkdir(sealed);
    await run('mount', '-t', 'tmpfs', 'none', sealed);
    onTestFinished(() => unmount(sealed));
    const thrown = await failureFrom(host.run('P5'));
    expect(thrown.message).toContain(`${sealed} is another mount than ${host.node}`);
  });
});

describe('P5 copies nothing to a node of two mounts', () => {
  test.skipIf(NO_MOUNTS)('that are one file system: there are no hard links between them', async () => {
    await host.seals('P1', 'P2');
    const [sealed, elsewhere] = [join(host.node, 'sealed'), join(host.root, 'elsewhere')];
    for (const path of [sealed, elsewhere]) await mkdir(path);
    await run('mount', '--bind', elsewhere, sealed);
    onTestFinished(() => unmount(sealed));
    const thrown = await failureFrom(host.run('P5'));
    expect(thrown.message).toContain(`${sealed} is another mount than ${host.node}`);
  });
});

describe('P6 deletes nothing', () => {
  /** The copy as P5 made it, moved to where a node that is the group's own subdirectory would have it. */
  async function copiedTo(node: string): Promise<void> {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await rename(join(host.node, '.sealflow'), join(node, '.sealflow'));
  }

  async function expectNothingLost(deps: DepsChanges, expected: string): Promise<void> {
    const before = await snapshot(host.directory);
    // Retried: the operator may have followed the hint of the first failure.
    for (let i = 0; i < 2; i++) {
      const thrown = await failureFrom(host.clean({}, {}, deps));
      expect(thrown.message).toContain(expected);
      expect(await snapshot(host.directory)).toEqual(before);
      expect(existsSync(doneFile(host.group, SECTOR))).toBe(false);
      await rm(join(subdirectory, 'sealed', 's-t01000-7'), { force: true });
    }
  }

  test('with a node that is the group’s subdirectory', async () => {
    await copiedTo(subdirectory);
    await expectNothingLost(withNode(subdirectory), APART);
  });

  test('with a symbolic link to the subdirectory', async () => {
    await copiedTo(subdirectory);
    await expectNothingLost(withNode(await symlinkTo(subdirectory)), APART);
  });

  test.skipIf(NO_MOUNTS)('with a bind mount of the subdirectory', async () => {
    await copiedTo(subdirectory);
    await expectNothingLost(withNode(await bind(subdirectory)), APART);
  });

  test('when the final name is the scratch’s own file', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await mkdir(join(host.node, 'sealed'));
    const final = join(host.node, 'sealed/s-t01000-7');
    await link(host.path('1/P2-1', 'sealed'), final);
    const before = await snapshot(host.directory);
    const thrown = await failureFrom(host.clean());
    expect(thrown).toMatchObject({ type: 'CopyDiffers' });
    expect(thrown.message).toContain(`${final} is the scratch's own file`);
    expect(await snapshot(host.directory)).toEqual(before);
    await rm(final);
    await host.clean();
    expect(existsSync(host.directory)).toBe(false);
  });

  test('when the copy itself is the scratch’s own file', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const result = (await readJson(host.path('1/P5-1', 'result.json'))) as { facts: { staging: string } };
    const part = join(host.node, result.facts.staging, 'sealed');
    await rm(part);
    await link(host.path('1/P2-1', 'sealed'), part);
    const thrown = await failureFrom(host.clean());
    expect(thrown).toMatchObject({ type: 'CopyDiffers' });
    expect(thrown.message).toContain(`${part} is the scratch's own file`);
    expect(existsSync(host.path('1/P2-1', 'sealed'))).toBe(true);
  });

  test('when the node becomes the group’s own directory while P6 runs', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    let checks = 0;
    let before: Record<string, string> = {};
    const checkNode = async (): Promise<void> => {
      // The second check is for other nodes' copies of the sector: by then everything is published.
      if (++checks !== 2) return;
      before = await snapshot(host.directory);
      const cache = join(host.node, 'cache/s-t01000-7');
      for (const name of await readdir(cache)) await rename(join(cache, name), join(host.directory, name));
      await rename(join(host.node, 'sealed/s-t01000-7'), join(subdirectory, 'sealed/s-t01000-7'));
      await rename(join(host.node, 'receipts'), join(subdirectory, 'receipts'));
      await rename(host.node, `${host.node}.away`);
      await symlink(subdirectory, host.node);
    };
    const thrown = await failureFrom(host.clean({}, {}, { nodes: { check: checkNode } }));
    expect(checks).toBe(2);
    expect(thrown).toMatchObject({ type: 'MountMissing' });
    expect(thrown.message).toContain(APART);
    expect(await snapshot(host.directory)).toMatchObject(before);
    expect(existsSync(join(host.directory, 'p_aux'))).toBe(true);
  });

  // As through a mount of this host's own export: other device numbers, same names.
  test('when the final directory contains a file that only a sector’s own directory has', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const cache = join(host.node, 'cache/s-t01000-7');
    await mkdir(cache, { recursive: true });
    await writeFile(join(cache, 'sector.json'), '{}');
    const before = await snapshot(host.directory);
    const thrown = await failureFrom(host.clean());
    expect(thrown.message).toContain(`${cache} on the storage node is ${host.directory}, the scratch itself`);
    expect(await snapshot(host.directory)).toMatchObject(before);
  });

  test('when a published file has disappeared meanwhile', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    let checks = 0;
    const final = join(host.node, 'sealed/s-t01000-7');
    const checkNode = async (): Promise<void> => {
      if (++checks === 2) await rm(final);
    };
    const thrown = await failureFrom(host.clean({}, {}, { nodes: { check: checkNode } }));
    expect(thrown).toMatchObject({ type: 'CopyDiffers', message: `${final} is not there` });
    expect(existsSync(host.path('1/P2-1', 'sealed'))).toBe(true);
  });

  test('when a published file lies anywhere in the sector’s directory', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const result = (await readJson(host.path('1/P5-1', 'result.json'))) as { facts: { staging: string } };
    const other = host.path('1/invalidated-P2-1');
    await mkdir(other);
    await link(join(host.node, result.facts.staging, 'p_aux'), join(other, 'p_aux'));
    const before = await snapshot(host.directory);
    const thrown = await failureFrom(host.clean());
    expect(thrown.message).toContain(`is ${join(other, 'p_aux')}, the scratch itself: nothing is deleted`);
    const { 'clean.json': _, ...after } = await snapshot(host.directory);
    expect(after).toEqual(before);
    await rm(other, { recursive: true });
    await host.clean();
    expect(existsSync(host.directory)).toBe(false);
  });
});
