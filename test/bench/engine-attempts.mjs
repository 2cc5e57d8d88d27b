/** Attempts made by hand, for benches that run the engine without sealflow around it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '#dist/engines/protocol.js';
import { buildEngine } from '#dist/engines/build/build.js';
import { findEngine } from '#dist/engines/locate.js';

export const engineForBench = async () => (await findEngine()) ?? (await buildEngine({}));

/** Makes `<directory>/1/<phase>-1` with its job. @returns its path */
export function makeJob(directory, phase, job) {
  const attempt = join(directory, '1', `${phase}-1`);
  mkdirSync(attempt, { recursive: true });
  const { sector = 't01000/1', size = '2KiB', ticket = '01'.repeat(32), inputs = {}, ...rest } = job;
  const full = {
    v: 1,
    phase,
    sector,
    size,
    ticket,
    inputHash: digestOf({ phase, ticket, inputs }),
    inputs,
    earlier: [],
    progressEveryMs: 5000,
    leaseEveryMs: 2000,
    madeBy: { host: 'bench', worker: 'bench', version: '0' },
    at: new Date().toISOString(),
    ...rest,
  };
  writeFileSync(join(attempt, 'job.json'), JSON.stringify(full));
  return attempt;
}

/** Runs the engine on an attempt. @returns its result; throws with the engine's words when there is none */
export function runEngine({ command: [program, ...args], environment }, attempt) {
  const { status, stderr } = spawnSync(program, [...args, 'run', attempt], {
    cwd: attempt,
    env: { ...environment, RUST_LOG: 'warn' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`engine: exit ${status}: ${stderr.trim()}`);
  return JSON.parse(readFileSync(join(attempt, 'result.json'), 'utf8'));
}
