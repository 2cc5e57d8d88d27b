/** Whether an attempt is superseded, by the same rule that engines apply (docs/engine-protocol.md, Lease). */
import { basename, dirname } from 'node:path';
import { ifPresent } from '../files.js';
import { readdir } from '../mounts/remote-fs.js';
import { parseAttempt, parseEpoch } from '../paths.js';

/** Whether a higher epoch or attempt exists, or the attempt's name is gone. */
export async function isSuperseded(directory: string): Promise<boolean> {
  const epochDirectory = dirname(directory);
  const epoch = parseEpoch(basename(epochDirectory));
  const name = epoch === undefined ? undefined : parseAttempt(epoch, basename(directory));
  if (epoch === undefined || !name) return true;
  const attempts = (await ifPresent(readdir(epochDirectory))) ?? [];
  if (!attempts.includes(basename(directory))) return true;
  const others = attempts.map((other) => parseAttempt(epoch, other));
  if (others.some((other) => other?.phase === name.phase && other.number > name.number)) return true;
  const epochs = (await ifPresent(readdir(dirname(epochDirectory)))) ?? [];
  return epochs.some((other) => (parseEpoch(other) ?? 0) > epoch);
}
