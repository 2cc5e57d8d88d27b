/** The directory of a group as two hosts see it. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.js';

import type { Group } from './group.js';
import { SshServer } from './sshfs.js';

/** Two mounts of one NFS export, where somebody has made them: `SEALFLOW_NFS_VIEWS=/mnt/a:/mnt/b`. */
export const NFS_VIEWS = process.env['SEALFLOW_NFS_VIEWS']?.split(':') as [string, string] | undefined;

/** @returns local_dir of host A and of host B. They end with the group. */
export async function makeViews(group: Group): Promise<{ A: string; B: string }> {
  return NFS_VIEWS ? await onNfs(group, ...NFS_VIEWS) : await throughSshfs(group);
}

async function throughSshfs(group: Group): Promise<{ A: string; B: string }> {
  const server = await SshServer.start(group);
  const [A, B] = [join(group.root, 'view-a'), join(group.root, 'view-b')];
  for (const path of [A, B]) await server.view(group.directory.root, path, 'cached');
  return { A, B };
}

/** A directory of the test's own in the export, moved there with all that the group has in it. */
async function onNfs(group: Group, a: string, b: string): Promise<{ A: string; B: string }> {
  const name = `sealflow-test-${randomUUID()}`;
  const [A, B] = [join(a, name), join(b, name)];
  await mkdir(A);
  for (const view of [A, B]) group.alsoIn(view);
  group.onEnd(() => rm(A, { recursive: true, force: true }));
  await group.setUpDirectory(A);
  // The test itself looks through A's view.
  await rename(group.directory.root, `${group.directory.root}.unused`);
  await symlink(A, group.directory.root);
  await eventually(() => existsSync(join(B, 'sealflow.json')));
  return { A, B };
}
