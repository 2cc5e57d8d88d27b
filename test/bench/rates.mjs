/** Rates of bytes that went, from samples of a counter. */
import { readFileSync } from 'node:fs';

/** What a process has read and written through system calls (proc(5)); `undefined` when it has ended. */
export function transferredBy(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/io`, 'utf8');
    const counter = (name) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1]);
    return { read: counter('rchar'), written: counter('wchar') };
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(error.code)) return undefined;
    throw error;
  }
}

/**
 * The most that went within `seconds`, as a rate.
 * @param samples `[seconds, bytes so far]`, in order
 */
export function highestRate(samples, seconds) {
  let highest = 0;
  let first = 0;
  for (const [at, bytes] of samples) {
    // The first sample that lies at least so far back: a window that is a little long, over which the rate is taken.
    while (first + 1 < samples.length && samples[first + 1][0] <= at - seconds) first++;
    const [from, before] = samples[first];
    if (at - from >= seconds) highest = Math.max(highest, (bytes - before) / (at - from));
  }
  return highest;
}
