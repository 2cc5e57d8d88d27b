/** Digests of published files, and the record that one was verified. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { writeJson } from '../../files.js';

/** Large, so that a disk reads at full speed; small enough that a signal is noticed at once. */
const CHUNK_BYTES = 4 << 20;

/** What tells that a file is still the one that was read. */
export interface FileState {
  bytes: number;
  modifiedNs: bigint;
}

export async function stateOf(path: string): Promise<FileState> {
  const { size, mtimeNs } = await stat(path, { bigint: true });
  return { bytes: Number(size), modifiedNs: mtimeNs };
}

/**
 * The first 16 bytes of a file's BLAKE2b-512 in hex, as the list of the proofs library gives them. Reads the whole
 * file: about a minute for 50 GB on a fast disk.
 *
 * @param onProgress gets the bytes read so far
 * @throws the signal's reason when aborted
 */
export async function digestOfFile(
  path: string,
  onProgress?: (done: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('blake2b512');
  let done = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
    done += (chunk as Buffer).length;
    onProgress?.(done);
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * Records that the file was verified when it had that state: the engine's `<file>.checked` (docs/engine-protocol.md),
 * with which it does not read the file again. Without the record it does, so a directory that cannot be written is no
 * error.
 */
export async function recordChecked(path: string, { bytes, modifiedNs }: FileState): Promise<void> {
  const record = {
    v: 1,
    size: bytes,
    modifiedSeconds: Number(modifiedNs / 1_000_000_000n),
    modifiedNanoseconds: Number(modifiedNs % 1_000_000_000n),
  };
  await writeJson(`${path}.checked`, record).catch(() => undefined);
}
