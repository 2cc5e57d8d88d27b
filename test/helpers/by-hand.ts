/** Phases computed without sealflow: jobs written by hand, an engine run on each. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readResult } from '../../src/sector-directory/attempt.js';
import type { EngineResult, Job } from '../../src/engines/protocol.js';
import { DEPENDS_ON, type EnginePhaseId } from '../../src/phases.js';
import { writeAttempt } from './attempts.js';

export interface Ended {
  code: number;
  stderr: string;
}

/** Writes the job `1/<phase>-1` in a sector's directory and runs the engine on it. */
export async function runByHand(
  [program = '', ...first]: readonly string[],
  sectorDirectory: string,
  phase: EnginePhaseId,
  job: Partial<Job>,
  env: NodeJS.ProcessEnv = {},
): Promise<Ended & { directory: string }> {
  const inputs = Object.fromEntries(DEPENDS_ON[phase].map((id) => [id, `../${id}-1`]));
  const every = { progressEveryMs: 1_000, leaseEveryMs: 1_000 };
  const { directory } = await writeAttempt(sectorDirectory, `1/${phase}-1`, {
    job: { inputs, ...every, ...job },
  });
  const options = { env: { ...process.env, ...env }, cwd: directory };
  const ended = await promisify(execFile)(program, [...first, 'run', directory], options).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: unknown) => error as Ended,
  );
  return { ...ended, directory };
}

/** Runs phases one after the other. @throws when one of them fails */
export async function computeByHand(
  engine: readonly string[],
  sectorDirectory: string,
  phases: readonly EnginePhaseId[],
  job: Partial<Job>,
  env: NodeJS.ProcessEnv = {},
): Promise<Partial<Record<EnginePhaseId, EngineResult>>> {
  const results: Partial<Record<EnginePhaseId, EngineResult>> = {};
  for (const phase of phases) {
    const { code, stderr, directory } = await runByHand(engine, sectorDirectory, phase, job, env);
    const result = await readResult({ directory });
    if (!result) throw new Error(`${phase} ended with ${code}: ${stderr}`);
    results[phase] = result;
  }
  return results;
}
