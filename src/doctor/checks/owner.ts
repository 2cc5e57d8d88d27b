/** Whether this process' user has the permissions to work in a directory. */
import { constants } from 'node:fs';
import { isErrno } from '../../files.js';
import { access, stat } from '../../mounts/remote-fs.js';
import { fail, ok, warn, type Verdict } from '../finding.js';

export interface Ownership {
  path: string;
  /** Of this process. */
  uid: number;
  gid: number;
  /** Undefined if a parent directory may not be entered. */
  owner: { uid: number; gid: number; mode: number } | undefined;
  /** According to access(2), which honors groups, ACLs and read-only mounts. */
  writable: boolean;
}

/** @throws ENOENT; MountHungError */
export async function ownershipOf(path: string): Promise<Ownership> {
  const owner = await stat(path).catch(unlessDenied);
  const writable = await access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    (error: unknown) => {
      unlessDenied(error);
      return false;
    },
  );
  return { path, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, owner, writable };
}

/** @throws any error other than a denied permission */
function unlessDenied(error: unknown): undefined {
  if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
}

export function judgeOwner({ path, uid, gid, owner, writable }: Ownership): Verdict {
  const wanted = `write permission for user ${uid}`;
  if (!owner) {
    return fail(
      `${path}: user ${uid} may not enter a parent directory`,
      wanted,
      `\`namei -l ${path}\` shows which; chown it to ${uid}, or run the worker as its owner`,
    );
  }
  const found = `${path} is owned by ${owner.uid}:${owner.gid}, mode ${(owner.mode & 0o7777).toString(8)}; this process runs as ${uid}:${gid}`;
  if (!writable) {
    return fail(
      found,
      wanted,
      `on the host that exports it: chown -R ${uid}:${gid} ${path}, or run the worker as user ${owner.uid}`,
    );
  }
  if (uid === owner.uid || uid === 0) return ok(`user ${uid}, owner ${owner.uid}:${owner.gid}`);
  return warn(
    found,
    'the same numeric user for all workers of a group: P2 reads and deletes files that P1 wrote on another host',
    `run this worker as user ${owner.uid}`,
  );
}
