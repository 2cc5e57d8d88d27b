/** Whether the user that this process runs as may work in a directory. */
import { constants } from 'node:fs';
import { isErrno } from '../../files.js';
import { access, stat } from '../../mounts/remote-fs.js';
import { fail, ok, warn, type Verdict } from '../finding.js';

export interface Ownership {
  path: string;
  /** Of this process. */
  uid: number;
  gid: number;
  /** Undefined where a directory above may not be entered. */
  owner: { uid: number; gid: number; mode: number } | undefined;
  /** As the kernel answers, which knows of groups, ACLs and read-only mounts. */
  writable: boolean;
}

/** @throws ENOENT; MountHungError */
export async function ownershipOf(path: string): Promise<Ownership> {
  const owner = await stat(path).catch(unlessRefused);
  const writable = await access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    (error: unknown) => {
      unlessRefused(error);
      return false;
    },
  );
  return { path, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, owner, writable };
}

/** @throws what is no refusal */
function unlessRefused(error: unknown): undefined {
  if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
}

export function judgeOwner({ path, uid, gid, owner, writable }: Ownership): Verdict {
  const wanted = `write permission for user ${uid}`;
  if (!owner) {
    return fail(
      `${path}: user ${uid} may not enter a directory above it`,
      wanted,
      `\`namei -l ${path}\` shows which; chown it to ${uid}, or run the worker as its owner`,
    );
  }
  const found = `${path} of ${owner.uid}:${owner.gid}, mode ${(owner.mode & 0o7777).toString(8)}; this process ${uid}:${gid}`;
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
    'one numeric user for all workers of a group: P2 reads and deletes what P1 has made on another host',
    `run this worker as user ${owner.uid}`,
  );
}
