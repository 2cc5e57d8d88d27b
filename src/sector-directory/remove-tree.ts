/**
 * Confined deletion: removes only regular files and directories of one file system, and only if the tree has no
 * others.
 */
import { join } from 'node:path';
import { ifPresent } from '../files.js';
import { readMountTable } from '../mounts/mount-table.js';
import { lstat, readdir, realpath, rmdir, unlink } from '../mounts/remote-fs.js';

export class NotOursError extends Error {}

export interface Removal {
  /** Called before each file is deleted; an error from it ends the deletion, which can be repeated. */
  between?: () => void;
  /** Name of files that stay, with the directories that they are in. */
  except?: string;
}

/**
 * Deletes a directory tree. The tree is checked first: a symbolic link, a mount point, a device or a socket inside
 * stops the deletion before anything is deleted.
 * @returns bytes freed on disk (files with other links free nothing); 0 if the directory does not exist
 * @throws NotOursError naming the first entry that sealflow cannot have made
 */
export async function removeTree(directory: string, removal: Removal = {}): Promise<number> {
  const top = await ifPresent(lstat(directory));
  if (!top) return 0;
  if (!top.isDirectory()) throw new NotOursError(`${directory} is not a directory`);
  await refuseMounts(directory);
  await refuseUnknownEntries(directory, top.dev);
  return (await remove(directory, top.dev, removal)).freed;
}

/** A bind mount of the same file system has the same device number: only the kernel's mount table shows it. */
async function refuseMounts(directory: string): Promise<void> {
  const path = await ifPresent(realpath(directory));
  if (path === undefined) return;
  const within = `${path}/`;
  const mount = (await readMountTable()).find(({ mountPoint }) => mountPoint.startsWith(within));
  if (mount) throw new NotOursError(`${mount.mountPoint} is a mount`);
}

async function refuseUnknownEntries(directory: string, device: number): Promise<void> {
  for (const name of (await ifPresent(readdir(directory))) ?? []) {
    const path = join(directory, name);
    const stat = await ifPresent(lstat(path));
    if (!stat) continue;
    if (stat.dev !== device) throw new NotOursError(`${path} is on another file system`);
    if (stat.isDirectory()) await refuseUnknownEntries(path, device);
    else if (!stat.isFile()) {
      throw new NotOursError(`${path} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'not a plain file'}`);
    }
  }
}

async function remove(
  directory: string,
  device: number,
  removal: Removal,
): Promise<{ freed: number; isEmpty: boolean }> {
  let freed = 0;
  let isEmpty = true;
  for (const name of (await ifPresent(readdir(directory))) ?? []) {
    const path = join(directory, name);
    const stat = await ifPresent(lstat(path));
    if (!stat) continue;
    // Checked again: an entry may have been added since.
    if (stat.dev !== device) throw new NotOursError(`${path} is on another file system`);
    if (stat.isDirectory()) {
      const below = await remove(path, device, removal);
      freed += below.freed;
      isEmpty &&= below.isEmpty;
    } else if (!stat.isFile()) throw new NotOursError(`${path} is not a plain file`);
    else if (name === removal.except) isEmpty = false;
    else {
      removal.between?.();
      await ifPresent(unlink(path));
      if (stat.nlink === 1) freed += stat.blocks * 512;
    }
  }
  if (isEmpty) await ifPresent(rmdir(directory));
  return { freed, isEmpty };
}
