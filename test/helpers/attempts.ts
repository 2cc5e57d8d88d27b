/** Attempts as they lie on disk, written by hand. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readlink, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type EngineError, type Job, type Progress } from '../../src/engines/protocol.js';
import { attemptDir, parseAt, type Attempt } from '../../src/paths.js';
import type { EnginePhaseId } from '../../src/phases.js';

export const HASH = digestOf('the input');
export const OTHER_HASH = digestOf('another input');

export interface Written {
  job?: Partial<Job>;
  progress?: Partial<Progress>;
  result?: { phase?: EnginePhaseId; inputHash?: string; outputs?: object; facts?: object };
  error?: Partial<EngineError>;
  /** Names of files that layers.json records. */
  layers?: string[];
}

/** Writes the attempt `at` (`1/P2-3`) with job.json and what else is asked for. */
export async function writeAttempt(
  sectorDirectory: string,
  at: string,
  written: Written = {},
): Promise<Attempt> {
  const name = parseAt(at);
  const directory = attemptDir(sectorDirectory, at);
  await mkdir(directory, { recursive: true });
  const write = (file: string, value: unknown): Promise<void> =>
    writeFile(join(directory, file), JSON.stringify(value));
  const { phase } = name;
  await write('job.json', jobOf(at, written.job));
  if (written.progress) await writeProgress(directory, written.progress);
  if (written.result) {
    const { inputHash = HASH, outputs = {}, facts = {} } = written.result;
    const times = { startedAt: '2026-11-22T16:00:00.000Z', endedAt: '2026-11-22T16:00:01.000Z' };
    const allFacts = { seconds: 1, host: '10.0.0.1', engine: 'by hand', ...times, ...facts };
    await write('result.json', {
      v: 1,
      phase: written.result.phase ?? phase,
      sector: 't01000/7',
      size: '2KiB',
      inputHash,
      outputs,
      facts: allFacts,
    });
  }
  if (written.error) {
    await write('error.json', {
      v: 1,
      phase,
      exit: 3,
      type: 'PassingFault',
      message: 'by hand',
      ...written.error,
    });
  }
  if (written.layers) {
    const files = written.layers.map((file) => ({ name: file, size: 1, blake3: '0'.repeat(64) }));
    await write('layers.json', { v: 1, inputHash: HASH, files });
  }
  return { ...name, at, directory };
}

export const jobOf = (at: string, changes: Partial<Job> = {}): Job => ({
  v: 1,
  phase: parseAt(at).phase,
  sector: 't01000/7',
  size: '2KiB',
  inputHash: HASH,
  ticket: 'aa'.repeat(32),
  seed: 'bb'.repeat(32),
  inputs: {},
  earlier: [],
  progressEveryMs: 20,
  leaseEveryMs: 20,
  madeBy: { host: '10.0.0.1', worker: 'test', version: '0.0.0' },
  at: '2026-11-22T16:00:00.000Z',
  ...changes,
});

/** Progress of this very process, unless changed. */
export async function progressOf(changes: Partial<Progress> = {}): Promise<Progress> {
  return {
    v: 1,
    pid: process.pid,
    startTime: await startTimeOf(changes.pid ?? process.pid),
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    pidNs: await readlink('/proc/self/ns/pid'),
    host: '10.0.0.1',
    counter: 1,
    step: 'working',
    fraction: 0.5,
    bytes: 0,
    cpuSeconds: 0,
    rssBytes: 0,
    ...changes,
  };
}

/** Writes progress.json as a reader sees it: whole, at once. */
export async function writeProgress(directory: string, changes: Partial<Progress> = {}): Promise<void> {
  const temporary = join(directory, 'progress.json.new');
  await writeFile(temporary, progressBlock(await progressOf(changes)));
  await rename(temporary, join(directory, 'progress.json'));
}

/** Field 22 of stat, counted from behind the name; 0 when there is no such process. */
export async function startTimeOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
}

/** The block of 4096 bytes of docs/engine-protocol.md. */
export function progressBlock(value: unknown): string {
  const json = JSON.stringify(value);
  const sum = createHash('sha256').update(json).digest('hex').slice(0, 16);
  return `${json}\n${sum}`.padEnd(4096);
}
