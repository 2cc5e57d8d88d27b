/**
 * The matrix: each phase, each fault, each moment.
 *
 * P6 has no engine of its own. There the two engine faults are a late engine's: one of another host that was superseded long
 * ago and has been frozen since, in the middle of a layer. `engine SIGKILL`: it is killed while P6 is at work on its files;
 * `engine SIGSTOP`: it wakes up then, and must end by itself and bring nothing back.
 */
import { PHASE_IDS, type PhaseId } from '../../../src/phases.js';
import { chaosRandom, COMPLETE } from '../form.js';

export const FAULTS = [
  'worker SIGKILL',
  'worker SIGTERM',
  'engine SIGKILL',
  'engine SIGSTOP',
  'server SIGKILL',
  'host lost',
] as const;
export type Fault = (typeof FAULTS)[number];

export const MOMENTS = ['start', 'middle', 'end'] as const;
/** Of the phase: just after its start, half-way, just before its end. */
export type Moment = (typeof MOMENTS)[number];

export interface Cell {
  phase: PhaseId;
  fault: Fault;
  moment: Moment;
}

const ALL: readonly Cell[] = FAULTS.flatMap((fault) =>
  PHASE_IDS.flatMap((phase) => MOMENTS.map((moment) => ({ phase, fault, moment }))),
);

/** One of each fault, by the seed; over all faults each phase comes once. */
function sample(): Cell[] {
  const random = chaosRandom();
  const phases = [...PHASE_IDS];
  return FAULTS.flatMap((fault) => {
    const [phase] = phases.splice(random.below(phases.length), 1);
    const moment = MOMENTS[random.below(MOMENTS.length)];
    return ALL.filter((cell) => cell.fault === fault && cell.phase === phase && cell.moment === moment);
  });
}

const WANTED = COMPLETE ? ALL : sample();

/** The cells of some faults that are to be run: all of them, in the short form one of each fault. */
export const cellsOf = (...faults: Fault[]): Cell[] => WANTED.filter(({ fault }) => faults.includes(fault));
