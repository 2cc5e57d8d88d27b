/** Makes the published parameters of a size be there: what is right stays, what is missing or wrong is fetched. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, messageOf } from '../../files.js';
import { lockFile } from '../../machine/file-lock.js';
import type { OnStep } from '../../machine/on-step.js';
import type { SectorSize } from '../../phases.js';
import { UserError } from '../../user-error.js';
import type { Engine } from '../engine.js';
import { ensureParameters } from '../parameters.js';
import { digestOfFile, recordChecked, stateOf } from './digest.js';
import { fetchFile, isNoRoom, noRoom } from './fetch-file.js';
import { gateways } from './gateways.js';
import { FETCH_LIMITS, type FetchLimits } from './limits.js';
import { listPublished, type PublishedFile } from './list.js';
import { bytesShown, kindOf } from './progress.js';

export interface FetchOptions {
  onStep?: OnStep | undefined;
  /** Gets a line that must be seen, not only shown for a moment. */
  warn?: ((line: string) => void) | undefined;
  /** Ends it at once; what has been fetched stays for the next call. */
  signal?: AbortSignal | undefined;
  limits?: FetchLimits;
  freeBytes?: (directory: string) => Promise<number>;
}

/**
 * Fetches the published parameters of 32GiB or 64GiB into the directory where the engine looks for them, unless they are
 * there. A file that exists is read once and compared with its digest; the engine is told by a record beside it. Two
 * processes at once: one fetches, the other waits and then finds the files.
 *
 * @returns the directory
 * @throws UserError when they cannot be fetched or stored; the signal's reason when aborted
 */
export async function fetchParameters(
  engine: Engine,
  size: SectorSize,
  options: FetchOptions = {},
): Promise<string> {
  const { onStep, signal } = options;
  const from = gateways();
  const seen = new Map<string, boolean>();
  const { dir, files } = await listPublished(engine, size, signal);
  if ((await withoutRight(dir, files, seen, options)).length > 0) {
    await asUserErrors(dir, async () => {
      await mkdir(dir, { recursive: true });
      // The engine's own lock on the same files, and a kernel lock, which a process that is killed leaves to the next one.
      const lock = await lockFile(join(dir, `.sealflow-params-${size}.lock`), {
        onWait: () => onStep?.('waiting for another process that fetches the same parameters'),
        signal,
      });
      try {
        // Another process may have fetched them meanwhile.
        const now = await listPublished(engine, size, signal);
        for (const { name, cid, digest } of await withoutRight(dir, now.files, seen, options)) {
          const path = join(dir, name);
          const fetchOptions = { limits: FETCH_LIMITS, ...options, gateways: from };
          const state = await fetchFile({ path, cid, digest }, fetchOptions);
          await record(path, state);
        }
      } finally {
        await lock.release();
      }
    });
  }
  // The engine has the last word. With the records this reads only the verifying key.
  return await ensureParameters(engine, size, { onStep, signal });
}

/**
 * The files that are missing or wrong.
 * @param seen by state of a file, whether it was right: none is read twice
 */
async function withoutRight(
  dir: string,
  files: readonly PublishedFile[],
  seen: Map<string, boolean>,
  options: FetchOptions,
): Promise<PublishedFile[]> {
  const wanted: PublishedFile[] = [];
  for (const file of files) if (!(await isRight(dir, file, seen, options))) wanted.push(file);
  return wanted;
}

async function isRight(
  dir: string,
  { name, digest, bytes, checked }: PublishedFile,
  seen: Map<string, boolean>,
  { onStep, warn, signal }: FetchOptions,
): Promise<boolean> {
  if (bytes === null) return false;
  if (checked) return true;
  const path = join(dir, name);
  const state = await stateOf(path);
  const key = `${name} ${state.bytes} ${state.modifiedNs}`;
  const known = seen.get(key);
  if (known !== undefined) return known;
  const show = bytesShown(onStep, `checking ${kindOf(name)}`);
  const found = await digestOfFile(path, (done) => show(done, state.bytes), signal);
  const right = found === digest;
  seen.set(key, right);
  if (right) await record(path, state);
  else
    warn?.(`${path} is not the published file (its BLAKE2b is ${found}, not ${digest}): it will be replaced`);
  return right;
}

/** Of the verifying key, which is small, the engine expects no record: it reads it each time. */
async function record(path: string, state: Awaited<ReturnType<typeof stateOf>>): Promise<void> {
  if (path.endsWith('.params')) await recordChecked(path, state);
}

/** Errors of the file system, as a person needs them. */
async function asUserErrors(dir: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isNoRoom(error)) throw noRoom(`there is no room left in ${dir}: ${messageOf(error as Error)}`, error);
    if (isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'EIO', 'EEXIST', 'ENOTDIR', 'EISDIR')) {
      throw new UserError(`the parameters cannot be stored in ${dir}: ${messageOf(error as Error)}`, {
        exitCode: 1,
        hint: 'run it as a user who may write there, or set FIL_PROOFS_PARAMETER_CACHE to another directory',
        cause: error,
      });
    }
    throw error;
  }
}
