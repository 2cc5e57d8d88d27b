/** Tries with one small file what every phase does in a directory: write, fsync, rename, delete. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { isErrno, messageOf } from '../../files.js';
import { MountHungError } from '../../mounts/mounts.js';
import { rename, rm, writeNewFile } from '../../mounts/remote-fs.js';
import { fail, ok, type Verdict } from '../finding.js';
import { duration } from '../../units.js';

/** Hidden, and distinct from any sector's directory. A file left by a killed doctor may be deleted. */
const PROBE_NAME = '.sealflow-doctor-';

/** @throws MountHungError */
export async function probe(directory: string): Promise<Verdict> {
  const first = join(directory, `${PROBE_NAME}${randomUUID()}`);
  const second = `${first}.renamed`;
  const began = performance.now();
  let step = 'write and fsync';
  try {
    await writeNewFile(first, 'written by sealflow doctor; may be deleted\n');
    step = 'rename';
    await rename(first, second);
    step = 'delete';
    await rm(second);
  } catch (error) {
    if (error instanceof MountHungError) throw error;
    for (const path of [first, second]) await rm(path, { force: true }).catch(() => undefined);
    return judgeProbe(directory, step, error as Error);
  }
  return ok(`written, renamed and deleted in ${duration(performance.now() - began)}`);
}

/** @param step the step that failed */
export function judgeProbe(directory: string, step: string, error: Error): Verdict {
  return fail(
    `${step} in ${directory}: ${messageOf(error)}`,
    'a file can be written, fsynced, renamed and deleted',
    hintFor(error),
  );
}

function hintFor(error: Error): string {
  if (isErrno(error, 'EACCES', 'EPERM'))
    return `user ${process.getuid?.()} lacks permission: check the owner; an NFS export with root_squash denies root`;
  if (isErrno(error, 'EROFS')) return 'it is mounted read-only';
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return 'the disk, its inodes or a quota are exhausted';
  if (isErrno(error, 'ENOENT')) return 'the directory does not exist: is it mounted?';
  if (isErrno(error, 'ESTALE'))
    return 'the NFS server now exports another file system there: umount and mount it again';
  return '`dmesg` may show what is wrong with the disk or the mount';
}
