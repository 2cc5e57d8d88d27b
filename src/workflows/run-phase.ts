/** The one loop in which every phase runs: schedule an activity, take note of how it ended, and do what follows. */
import {
  ActivityCancellationType,
  ApplicationFailure,
  proxyActivities,
  type ActivityOptions,
} from '@temporalio/workflow';
import {
  BEGUN,
  NORMAL,
  phaseQueue,
  PREFERRED,
  type CleanResult,
  type PhaseResult,
  type SealActivities,
} from '../contract.js';
import { PHASES, type EnginePhaseId, type PhaseId } from '../phases.js';
import { mustEndPass, mustWaitForLanded } from './core/state.js';
import { failureOf } from './failure-of.js';
import { untilPassEnds } from './passes.js';
import type { Sector } from './sector.js';

const ACTIVITY = {
  P1: 'preCommitPhase1',
  P2: 'preCommitPhase2',
  P3: 'commitPhase1',
  P4: 'commitPhase2',
  P5: 'copySector',
} as const satisfies Record<EnginePhaseId, keyof SealActivities>;

/** P1–P5: returns at once when the result is known. */
export async function runPhase(sector: Sector, phase: EnginePhaseId): Promise<void> {
  if (sector.state.results[phase]) return;
  const result = await untilDone<PhaseResult>(sector, phase, (options) =>
    proxyActivities<SealActivities>(options)[ACTIVITY[phase]](sector.phaseInput(phase)),
  );
  sector.dispatch({ type: 'finished', phase, result, now: Date.now() });
}

/** P6, when proof and copy are there. */
export async function cleanSector(sector: Sector): Promise<CleanResult> {
  const cleaned = await untilDone(sector, 'P6', (options) =>
    proxyActivities<SealActivities>(options).cleanSector(sector.cleanInput()),
  );
  sector.dispatch({ type: 'cleaned', cleaned });
  return cleaned;
}

async function untilDone<T>(
  sector: Sector,
  phase: PhaseId,
  schedule: (options: ActivityOptions) => Promise<T>,
): Promise<T> {
  for (;;) {
    // Here and not in the story: a host's own config may ask for it, by a P6 that fails.
    if (phase === 'P6') await sector.until((state) => !mustWaitForLanded(state));
    await untilItMay(sector, phase);
    await sector.continueIfSuggested();
    sector.dispatch({ type: 'scheduled', phase });
    try {
      return await schedule(optionsOf(sector, phase));
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      sector.dispatch({ type: 'failed', phase, failure, now: Date.now() });
    }
    await endIfAsked(sector);
  }
}

/** What the last failure asks for, if it ends the pass. @throws ApplicationFailure when it ends the workflow; the cancellation of the pass */
async function endIfAsked(sector: Sector): Promise<void> {
  const { ending } = sector.state;
  if (ending?.state === 'failed') {
    const { message, type } = ending.failure;
    throw ApplicationFailure.nonRetryable(message, type);
  }
  if (mustEndPass(sector.state)) await untilPassEnds();
}

/** Waits as long as a person must look, or the last failure has a delay. Also in the run that follows one that has waited. */
async function untilItMay(sector: Sector, phase: PhaseId): Promise<void> {
  await sector.until(({ attention }) => !attention[phase]);
  const { backingOff, interruptions } = sector.state.phases[phase];
  if (!backingOff) return;
  const { backoffFirst, backoffMax } = sector.times;
  const delay = Math.min(backoffFirst * 2 ** (interruptions - 2), backoffMax);
  await sector.until(({ phases }) => !phases[phase].backingOff, delay);
}

/** Error types (Temporal's names) that its own retries leave to the workflow. */
const TIMED_OUT = 'TemporalTimeout:StartToClose';
const LOST_WORKER = 'TemporalTimeout:Heartbeat';

function optionsOf(sector: Sector, phase: PhaseId): ActivityOptions {
  const { times, scale } = sector;
  const { seal, phases } = sector.state;
  const { tries } = phases[phase];
  const isBegun = tries > 1;
  const { startToCloseMinutes, title } = PHASES[phase];
  return {
    taskQueue: phaseQueue(seal.group, seal.size, phase),
    startToCloseTimeout: startToCloseMinutes[seal.size] * 60_000 * scale,
    heartbeatTimeout: times.heartbeatTimeout,
    retry: {
      initialInterval: times.noSlotFirst,
      maximumInterval: times.noRoomMax,
      // The first worker that is lost brings the phase before new work; any other costs no event.
      nonRetryableErrorTypes: isBegun ? [TIMED_OUT] : [TIMED_OUT, LOST_WORKER],
    },
    // A step back must not begin before what it invalidates has been let go.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: `${seal.sector} ${phase} ${title}${isBegun ? `, try ${tries}` : ''}`,
    priority: { priorityKey: isBegun ? BEGUN : seal.priority ? PREFERRED : NORMAL },
  };
}
