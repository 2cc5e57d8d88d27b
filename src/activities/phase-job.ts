/** Builds the job of an attempt, checks a phase's inputs, and builds the activity's result. */
import { relative } from 'node:path';
import { readResult } from '../sector-directory/attempt.js';
import { digestOf, ENGINE_PROTOCOL, type EngineResult, type Job } from '../engines/protocol.js';
import {
  CONTRACT_VERSION,
  type PhaseInput,
  type PhaseResult,
  type ResultRef,
  type SealInput,
} from '../contract.js';
import { SealError } from '../seal-error.js';
import { attemptDir, formatAt, type AttemptName, type Attempt } from '../paths.js';
import { PHASES, type EnginePhaseId } from '../phases.js';
import type { Deps } from './deps.js';
import type { Task } from './task.js';
import { waitUntilVisible } from './wait-until-visible.js';

const NEEDS_SEED: readonly EnginePhaseId[] = ['P3', 'P4'];

const inputsOf = (input: PhaseInput): [EnginePhaseId, ResultRef][] =>
  Object.entries(input.inputs) as [EnginePhaseId, ResultRef][];

/** Hashes exactly what determines a phase's outcome: attempts with equal hashes are interchangeable. */
export function inputHash({ phase, seal, inputs }: PhaseInput): string {
  return digestOf({
    v: 1,
    phase,
    sector: seal.sector,
    size: seal.size,
    ticket: seal.ticket,
    seed: NEEDS_SEED.includes(phase) ? seal.seed : undefined,
    inputs: Object.fromEntries(Object.entries(inputs).map(([id, { digest }]) => [id, digest])),
  });
}

/**
 * Checks that the phase's inputs exist and match the workflow's digests.
 * @throws failure `StepBack` to the phase whose result is gone or has changed
 */
export async function checkInputs(task: Task, sectorDirectory: string, input: PhaseInput): Promise<void> {
  for (const [from, ref] of inputsOf(input)) await inputResult(task, sectorDirectory, from, ref);
}

/** Reads the result that `at` names. @throws failure `StepBack` to `from` when it is gone or has changed */
export async function inputResult(
  task: Task,
  sectorDirectory: string,
  from: EnginePhaseId,
  { at, digest }: ResultRef,
): Promise<EngineResult> {
  const result = await waitUntilVisible(task, () =>
    readResult({ directory: attemptDir(sectorDirectory, at) }),
  );
  if (!result) throw new SealError('StepBack', `the result of ${from} (${at}) is gone`, { from });
  if (digestOf(result.outputs) !== digest) {
    throw new SealError('StepBack', `the result of ${from} (${at}) has changed`, { from });
  }
  return result;
}

export function jobFor(
  deps: Deps,
  sectorDirectory: string,
  input: PhaseInput,
  task: Task,
  name: AttemptName,
  earlier: Attempt[],
  copy: Job['copy'],
  cores: Pick<Job, 'cores' | 'producers'>,
): Job {
  const { phase, seal } = input;
  const { host, worker, version } = deps.identity;
  // Paths are relative to the attempt's directory, so that they stay valid wherever local_dir is mounted.
  const own = attemptDir(sectorDirectory, formatAt(name));
  return {
    v: ENGINE_PROTOCOL,
    phase,
    sector: seal.sector,
    size: seal.size,
    inputHash: inputHash(input),
    ticket: ticketOf(seal),
    seed: NEEDS_SEED.includes(phase) ? seal.seed : undefined,
    inputs: Object.fromEntries(
      inputsOf(input).map(([id, { at }]) => [id, relative(own, attemptDir(sectorDirectory, at))]),
    ),
    earlier: phase === 'P1' ? earlier.map(({ directory }) => relative(own, directory)) : [],
    copy,
    ...cores,
    progressEveryMs: task.times.engineProgress,
    leaseEveryMs: task.times.engineLease,
    hangMs: hangMsOf(phase, task),
    madeBy: { host, worker, version },
    at: new Date().toISOString(),
  };
}

/** An engine that does no work for this long, in ms, hangs. */
export const hangMsOf = (phase: EnginePhaseId, { seal, scale }: Task): number =>
  PHASES[phase].hangMinutes[seal.size] * 60_000 * scale;

function ticketOf({ ticket }: SealInput): string {
  if (ticket === undefined) throw new SealError('BadInput', 'the sector has no ticket yet');
  return ticket;
}

export function phaseResult(
  phase: EnginePhaseId,
  { at }: Attempt,
  { outputs, facts }: EngineResult,
): PhaseResult {
  const { commD, commR, proof } = outputs;
  return {
    v: CONTRACT_VERSION,
    phase,
    at,
    digest: digestOf(outputs),
    host: facts.host,
    seconds: facts.seconds,
    commD: commD && base64(commD),
    commR: commR && base64(commR),
    proof,
    node: facts.node,
  };
}

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
