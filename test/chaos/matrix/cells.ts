/**
 * The matrix: each phase, each fault, each moment.
 *
 * P6 has no engine of its own. There the two engine faults are a late engine's: one of another host that was superseded long
 * ago and has been frozen since, in the middle of a layer. `engine SIGKILL`: it is killed while P6 is at work on its files;
 * `engine SIGSTOP`: it wakes up then, and must end by itself and bring nothing back.
 */
import { PHASE_IDS, type PhaseId } from '../../../src/phases.js';

export const FAULTS = [
  'engine SIGKILL',
  'engine SIGSTOP',
  'worker SIGKILL',
  'worker SIGTERM',
  'server SIGKILL',
  'host lost',
] as const;
export type Fault = (typeof FAULTS)[number];

export const MOMENTS = ['middle', 'end', 'start'] as const;
/** Of the phase: half-way, just before its end, just after its start. */
export type Moment = (typeof MOMENTS)[number];

export interface Cell {
  phase: PhaseId;
  fault: Fault;
  moment: Moment;
}

const ALL: readonly Cell[] = FAULTS.flatMap((fault) =>
  PHASE_IDS.flatMap((phase) => MOMENTS.map((moment) => ({ phase, fault, moment }))),
);
/** The cells of some faults. */
export const cellsOf = (...faults: Fault[]): Cell[] => ALL.filter(({ fault }) => faults.includes(fault));
