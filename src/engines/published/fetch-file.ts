/** Fetches one published file: resumed, retried, checked against its digest before it gets its name. */
import { statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '../../files.js';
import type { OnStep } from '../../machine/on-step.js';
import { amount, duration } from '../../units.js';
import { UserError } from '../../user-error.js';
import { digestOfFile, stateOf, type FileState } from './digest.js';
import { Refused, Sources } from './gateways.js';
import type { FetchLimits } from './limits.js';
import { Part } from './part.js';
import { bytesShown, kindOf } from './progress.js';
import { BrokenOff, requestRest } from './request.js';

/** The first wrong file may come of a part that an earlier version has left, or a proxy; the second does not. */
const WRONG_FILES = 2;

export interface FetchFileOptions {
  gateways: readonly string[];
  limits: FetchLimits;
  /** Free bytes on the disk of a directory. */
  freeBytes?: (directory: string) => Promise<number>;
  onStep?: OnStep | undefined;
  signal?: AbortSignal | undefined;
}

/** What one fetch of a file carries along. */
interface Fetch extends FetchFileOptions {
  path: string;
  sources: Sources;
  part: Part;
}

/**
 * Fetches a file to `path`, or goes on with what an earlier call has left beside it as `<path>.part`. What is at `path`
 * is replaced only by the right file, which is durable when this returns. One call at a time for a path.
 *
 * @param digest the first 16 bytes of its BLAKE2b-512, in hex
 * @returns the state in which the file was verified
 * @throws UserError when no gateway has the right file, or the transfer makes no progress any more, or there is no room
 * @throws the signal's reason when aborted. In each case what has been fetched stays, unless it is wrong
 */
export async function fetchFile(
  { path, cid, digest }: { path: string; cid: string; digest: string },
  options: FetchFileOptions,
): Promise<FileState> {
  const sources = new Sources(options.gateways, cid);
  for (let wrong = 1; ; wrong++) {
    const part = await Part.open(path);
    try {
      await complete({ ...options, path, sources, part });
      await part.sync();
      const { onStep, signal } = options;
      const state = await stateOf(part.path);
      const show = bytesShown(onStep, `checking ${kindOf(path)}`);
      const found = await digestOfFile(part.path, (done) => show(done, state.bytes), signal);
      if (found === digest) {
        await part.publish();
        return state;
      }
      await part.delete();
      if (wrong >= WRONG_FILES) throw isWrong(path, sources.url, found, digest);
      sources.next();
    } finally {
      await part.close();
    }
  }
}

/** What helps when no gateway has the right file. */
const elsewhere = (path: string): string =>
  `set IPFS_GATEWAY to another gateway, or copy the file from another host to ${dirname(path)}`;

const isWrong = (path: string, url: string, found: string, digest: string): UserError =>
  new UserError(
    `${url} is not ${basename(path)}: its BLAKE2b is ${found}, that of the published file ${digest}`,
    { exitCode: 1, hint: elsewhere(path) },
  );

/** Tries until the part is whole. */
async function complete(fetch: Fetch): Promise<void> {
  const { part, sources, limits, signal, onStep, path } = fetch;
  const etags = new Map<string, string | undefined>();
  let furthest = part.length;
  for (let fruitless = 0; ;) {
    try {
      if (await receive(fetch, etags)) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Refused) {
        const { url } = sources;
        if (sources.drop()) continue;
        throw cannotFetch(`${url}: ${error.message}`, fetch, error);
      }
      if (!(error instanceof BrokenOff)) throw error;
      // A server that begins anew each time and never gets further makes no progress.
      fruitless = part.length > furthest ? 0 : fruitless + 1;
      if (fruitless >= limits.fruitlessTries)
        throw cannotFetch(`${sources.url}: ${error.message}`, fetch, error);
      furthest = Math.max(furthest, part.length);
      const delay = Math.min(limits.maxDelayMs, limits.firstDelayMs * 2 ** fruitless);
      onStep?.(`fetching ${kindOf(path)}: ${error.message}; again in ${duration(delay)}`);
      await sleep(delay, undefined, { signal }).catch(() => signal?.throwIfAborted());
      // Another gateway may not know what this one has sent: it is left only when it brings nothing.
      if (fruitless > 0) sources.next();
    }
  }
}

function cannotFetch(reason: string, { part, path }: Fetch, cause: Error): UserError {
  const stays = part.length > 0 ? `the ${amount(part.length)} that are there stay: ` : '';
  const hint =
    cause instanceof Refused
      ? elsewhere(path)
      : 'run the same command again, or set IPFS_GATEWAY to another gateway';
  return new UserError(`${basename(path)} cannot be fetched: ${reason}`, {
    exitCode: 1,
    hint: `${stays}${hint}`,
    cause,
  });
}

/** One request, and what it brings. @returns whether the part is whole now @throws BrokenOff, Refused */
async function receive(fetch: Fetch, etags: Map<string, string | undefined>): Promise<boolean> {
  const { part, sources, limits, signal, onStep, path } = fetch;
  const { url } = sources;
  const what = `fetching ${kindOf(path)}`;
  onStep?.(what);
  const from = part.length;
  const answer = await requestRest(url, { from, etag: etags.get(url), idleMs: limits.idleMs, signal });
  // The part was whole, or is too long; its digest will tell.
  if (answer === 'nothing-left') return true;
  etags.set(url, answer.etag);
  const { body, total } = answer;
  if (answer.from < from) await part.truncate(answer.from);
  if (total !== undefined) await requireRoom(fetch, total - part.length);
  const show = bytesShown(onStep, what);
  for await (const chunk of body) {
    await part.append(chunk);
    show(part.length, total);
  }
  if (total !== undefined && part.length < total)
    throw new BrokenOff('the server has sent only a part of the rest');
  return true;
}

/** Asked when the server has said how long the file is, before its first byte is written. */
async function requireRoom({ path, limits, freeBytes = freeOn }: Fetch, missing: number): Promise<void> {
  const directory = dirname(path);
  const free = await freeBytes(directory);
  if (free >= missing + limits.spareBytes) return;
  const wanted = `${amount(missing)} of ${basename(path)} are missing, ${amount(limits.spareBytes)} should stay free`;
  throw noRoom(`${directory} has only ${amount(free)} free: ${wanted}`);
}

async function freeOn(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

export const noRoom = (message: string, cause?: unknown): UserError =>
  new UserError(message, {
    exitCode: 1,
    hint: 'make room and run the same command again: it goes on where it stopped; or set FIL_PROOFS_PARAMETER_CACHE to a directory on a larger disk',
    cause,
  });

export const isNoRoom = (error: unknown): boolean => isErrno(error, 'ENOSPC', 'EDQUOT');
