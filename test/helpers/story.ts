/** A sector's story as the core of its workflow hears it: events, one after the other. */
import { CONTRACT_VERSION, type CleanResult, type PhaseResult, type SealInput } from '../../src/contract.js';
import type { FailureDetails, FailureType } from '../../src/failures.js';
import { ENGINE_PHASE_IDS, type EnginePhaseId, type PhaseId } from '../../src/phases.js';
import { reduce, type Event } from '../../src/workflows/core/reduce.js';
import { initialState, type SectorState } from '../../src/workflows/core/state.js';

/** Without a seed: that comes later. */
export const SEAL: SealInput = {
  v: CONTRACT_VERSION,
  sector: 't01000/7',
  size: '2KiB',
  group: 1,
  ticket: 'aa'.repeat(32),
};
export const TICKET = 'bb'.repeat(32);
export const SEED = 'cc'.repeat(32);
export const OTHER_SEED = 'dd'.repeat(32);
/** Workflow time of all that happens. */
export const NOW = 5_000_000;

const OUTPUTS: Partial<Record<EnginePhaseId, Partial<PhaseResult>>> = {
  P2: { commD: 'commD', commR: 'commR' },
  P4: { proof: 'proof' },
};

export const hostOf = (phase: PhaseId): string => `10.0.0.${phase.slice(1)}`;

const resultOf = (phase: EnginePhaseId, changes: Partial<PhaseResult> = {}): PhaseResult => ({
  v: CONTRACT_VERSION,
  phase,
  at: `1/${phase}-1`,
  digest: `digest of ${phase}`,
  host: hostOf(phase),
  seconds: 1.5,
  ...OUTPUTS[phase],
  ...changes,
});

export const CLEANED: CleanResult = {
  v: CONTRACT_VERSION,
  host: hostOf('P6'),
  seconds: 1.5,
  storage: { node: '10.0.0.9', sealed: 'sealed/s', cache: 'cache/s', receipt: 'receipts/s.json' },
  bytesFreed: 512,
};

export type Story = (Event | Event[])[];

/** The state of a sector of which this is the story. */
export const after = (...story: Story): SectorState => goOn(initialState(SEAL), ...story);

export const goOn = (state: SectorState, ...story: Story): SectorState => story.flat().reduce(reduce, state);

export const begins = (phase: PhaseId): Event => ({ type: 'scheduled', phase });

export const ends = (phase: EnginePhaseId, changes?: Partial<PhaseResult>): Event => ({
  type: 'finished',
  phase,
  result: resultOf(phase, changes),
  now: NOW,
});

export const done = (...phases: EnginePhaseId[]): Event[] =>
  phases.flatMap((phase) => [begins(phase), ends(phase)]);

/** An activity is scheduled, and fails. */
export const fails = (
  phase: PhaseId,
  type: FailureType,
  details: FailureDetails = {},
  message = 'why',
): Event[] => [begins(phase), { type: 'failed', phase, failure: { type, message, details }, now: NOW }];

/** An engine works on a phase, on the phase's host unless another is given. */
export const works = (phase: PhaseId, host: string | undefined = hostOf(phase)): Event => ({
  type: 'working',
  phase,
  host,
});
/** It has ended, and the server will offer the task again. */
export const rests = (phase: PhaseId): Event => ({ type: 'working', phase });

export const seed: Event = { type: 'seed', seed: SEED };
export const rewound: Event = { type: 'rewound', now: NOW };
export const landed: Event = { type: 'landed' };
export const cleaned: Event = { type: 'cleaned', cleaned: CLEANED };
export const retry = (given: Omit<Extract<Event, { type: 'retry' }>, 'type'> = {}): Event => ({
  type: 'retry',
  ...given,
});

/** All that comes before P6. */
export const PROVED: Event[] = [...done('P1', 'P2'), seed, ...done('P3', 'P4', 'P5')];

/** The phases whose results count. */
export const kept = ({ results }: SectorState): EnginePhaseId[] =>
  ENGINE_PHASE_IDS.filter((phase) => results[phase] !== undefined);
