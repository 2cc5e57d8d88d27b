/** Reads progress.json: one block that the engine overwrites in place, with a checksum that detects torn reads. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { refuseNewer } from '../contract.js';
import { ifPresent } from '../files.js';
import { readFile } from '../mounts/remote-fs.js';
import { ENGINE_PROTOCOL, progressSchema, type Progress } from './protocol.js';

const TORN_READS = 5;

/**
 * @returns undefined when the engine has not written it yet (or five reads in a row were torn)
 * @throws TooNewError when its protocol is newer: that engine may well be alive
 */
export async function readProgress(attemptDirectory: string): Promise<Progress | undefined> {
  for (let tries = 0; tries < TORN_READS; tries++) {
    const text = await ifPresent(readFile(join(attemptDirectory, 'progress.json'), 'utf8'));
    if (text === undefined) return undefined;
    const progress = parseProgress(text);
    if (progress) return progress;
    await sleep(5);
  }
  return undefined;
}

/**
 * @returns undefined when the checksum does not match, or it is not a progress block
 * @throws TooNewError
 */
export function parseProgress(text: string): Progress | undefined {
  const [json = '', sum = ''] = text.split('\n', 2);
  if (createHash('sha256').update(json).digest('hex').slice(0, 16) !== sum.slice(0, 16)) return undefined;
  const value = parseJson(json);
  refuseNewer('progress.json', value, ENGINE_PROTOCOL);
  return progressSchema.safeParse(value).data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
