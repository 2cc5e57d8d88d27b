/** Identifies the group's directory by its marker file, so that a missing or wrong mount is detected at once. */
import { constants } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CONTRACT_VERSION, readable, refuseNewer } from '../contract.js';
import { exists, ifPresent, isErrno, readJson, syncDirectory, writeJson } from '../files.js';
import { access, mkdir, stat } from '../mounts/remote-fs.js';
import { MountGuard, MountWrongError } from '../mounts/guard.js';
import { MountHungError } from '../mounts/mounts.js';
import { groupDirectories, isPlainName, markerFile, type OpenGroup } from '../paths.js';
import { UserError } from '../user-error.js';

const markerSchema = z.object({
  v: z.int().refine((v) => readable(v)),
  group: z.int(),
  /** Temporal namespace of the group's workflows, one per chain. Older markers have none. */
  namespace: z.string().optional(),
  /** Random; distinguishes two directories that are otherwise marked the same. */
  id: z.uuid(),
  subdirectory: z.string(),
});
export type Marker = z.infer<typeof markerSchema>;

export class NotOfGroupError extends Error {}

/** @throws NotOfGroupError when local_dir has no marker, or one that cannot be read; MountHungError */
export async function readMarker(localDir: string): Promise<Marker> {
  const path = markerFile(localDir);
  const value = await readJson(path).catch((error: unknown) => {
    if (error instanceof MountHungError) throw error;
    throw new NotOfGroupError(`${path} cannot be read: ${(error as Error).message}`);
  });
  if (value === undefined)
    throw new NotOfGroupError(`${path} is not there: is the group's directory mounted?`);
  try {
    refuseNewer(path, value);
  } catch (error) {
    throw new NotOfGroupError((error as Error).message);
  }
  const marker = markerSchema.safeParse(value);
  if (!marker.success) throw new NotOfGroupError(`${path} is not a sealflow marker`);
  return marker.data;
}

/** The group's directory on one host. Remembers the marker's ID, so that a different directory is detected. */
export class GroupMount {
  private id: string | undefined;

  /** @param namespace Temporal namespace of this host */
  constructor(
    private readonly guard: MountGuard,
    private readonly namespace: string,
  ) {}

  private get localDir(): string {
    return this.guard.directory;
  }

  /**
   * Checks the mount and its marker.
   * @throws NotOfGroupError; MountHungError
   */
  async open(group: number): Promise<OpenGroup> {
    await this.guard.check().catch((error: unknown) => {
      throw error instanceof MountWrongError ? new NotOfGroupError(error.message) : error;
    });
    const marker = await readMarker(this.localDir);
    if (marker.group !== group) {
      throw new NotOfGroupError(`${this.localDir} belongs to group ${marker.group}, not to group ${group}`);
    }
    if (marker.namespace !== undefined && marker.namespace !== this.namespace) {
      throw new NotOfGroupError(
        `${this.localDir} belongs to Temporal namespace ${marker.namespace}, not to ${this.namespace}`,
      );
    }
    if (this.id !== undefined && this.id !== marker.id) {
      throw new NotOfGroupError(
        `${this.localDir} is not the same directory as at start (ID ${marker.id}, was ${this.id}): ` +
          'if its disk was replaced, restart the worker',
      );
    }
    this.id = marker.id;
    return { root: this.localDir, subdirectory: marker.subdirectory, id: marker.id };
  }
}

/** @throws UserError when local_dir exists but this user cannot write to it */
export async function checkWritable(localDir: string): Promise<void> {
  try {
    await access(localDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    // It may be mounted, or answer, later.
    if (isErrno(error, 'ENOENT') || error instanceof MountHungError) return;
    const uid = process.getuid?.();
    throw new UserError(
      `local_dir ${localDir}: no write permission for user ${uid} (${await describeOwner(localDir)})`,
      { hint: `chown ${uid} ${localDir}, or run the worker as its owner` },
    );
  }
}

async function describeOwner(directory: string): Promise<string> {
  const found = await stat(directory).catch(() => undefined);
  if (!found) return 'a parent directory cannot be searched';
  return `owner ${found.uid}:${found.gid}, mode ${(found.mode & 0o777).toString(8)}`;
}

/**
 * Turns an existing directory into a group's directory: `setup --local-dir`. Idempotent.
 * @param namespace Temporal namespace of the group's workflows
 * @throws UserError when it does not exist, belongs to another group or namespace, or `subdirectory` is no
 * plain name
 */
export async function setUpGroupDirectory(
  localDir: string,
  group: number,
  subdirectory: string,
  namespace?: string,
): Promise<Marker> {
  await checkWritable(localDir);
  if (!isPlainName(subdirectory))
    throw new UserError(`subdirectory ${subdirectory}: must be a plain name, like 10.10.4.23`);
  if (!(await ifPresent(stat(localDir)))?.isDirectory()) {
    throw new UserError(`${localDir} is not a directory`, { hint: 'create or mount it first' });
  }
  const marker = await existingMarker(localDir, group, namespace);
  const directory = { root: localDir, subdirectory: marker?.subdirectory ?? subdirectory };
  for (const path of groupDirectories(directory)) {
    await mkdir(path).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error;
    });
  }
  await syncDirectory(localDir);
  if (marker) return marker;
  const created = {
    v: CONTRACT_VERSION,
    group,
    ...(namespace && { namespace }),
    id: randomUUID(),
    subdirectory,
  };
  // Written last: a directory with a marker is complete.
  await writeJson(markerFile(localDir), created);
  return created;
}

async function existingMarker(
  localDir: string,
  group: number,
  namespace: string | undefined,
): Promise<Marker | undefined> {
  if (!(await exists(markerFile(localDir)))) return undefined;
  const marker = await readMarker(localDir).catch((error: unknown) => {
    if (!(error instanceof NotOfGroupError)) throw error;
    throw new UserError(error.message, {
      hint: 'choose another directory; or if no sector lies in this one, delete that file first',
      cause: error,
    });
  });
  if (marker.group !== group) {
    throw new UserError(`${localDir} already belongs to group ${marker.group}`, {
      hint: 'each group needs its own directory',
    });
  }
  if (namespace !== undefined && marker.namespace !== undefined && marker.namespace !== namespace) {
    throw new UserError(`${localDir} already belongs to Temporal namespace ${marker.namespace}`, {
      hint: 'each chain needs its own namespace and directories',
    });
  }
  return marker;
}
