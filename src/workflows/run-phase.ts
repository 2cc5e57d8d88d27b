/** The loop that runs every phase: schedule an activity, record how it ended, act on its failure. */
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
import { mustEndPass, mustWaitForLanded, type SectorState } from './core/state.js';
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

/** Runs one of P1–P5. Returns at once when its result is known. */
export async function runPhase(sector: Sector, phase: EnginePhaseId): Promise<void> {
  if (sector.state.results[phase]) return;
  const result = await untilDone<PhaseResult>(sector, phase, (options) =>
    proxyActivities<SealActivities>(options)[ACTIVITY[phase]](sector.phaseInput(phase)),
  );
  sector.dispatch({ type: 'finished', phase, result, now: Date.now() });
}

/** Runs P6. Call it when P4 and P5 are done. @returns what P6 stored and freed */
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
    if (mustWait(sector, phase)) await untilReady(sector, phase);
    sector.dispatch({ type: 'scheduled', phase });
    try {
      return await schedule(optionsOf(sector, phase));
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      sector.dispatch({ type: 'failed', phase, failure, now: Date.now() });
    }
    await endPassIfNeeded(sector);
  }
}

/**
 * Acts on a failure that ends the pass or the workflow; returns for any other.
 * @throws ApplicationFailure when it ends the workflow; the cancellation of the pass
 */
export async function endPassIfNeeded(sector: Sector): Promise<void> {
  const { ending } = sector.state;
  if (ending?.state === 'failed') {
    const { message, type } = ending.failure;
    throw ApplicationFailure.nonRetryable(message, type);
  }
  if (mustEndPass(sector.state)) await untilPassEnds();
}

/**
 * Whether the phase must not start: its proof has not landed, it needs attention or backs off, or the workflow continues
 * as new, which carries all of that over. Usually none holds, and each promise of a workflow has its price: a stack trace.
 */
function mustWait(sector: Sector, phase: PhaseId): boolean {
  const { attention, phases } = sector.state;
  return (
    isHeldForLanded(sector.state, phase) ||
    attention[phase] !== undefined ||
    phases[phase].backingOff ||
    sector.mayContinueAsNew()
  );
}

// Asked before every try: a host's config can also require it, by failing P6 with NotLanded.
const isHeldForLanded = (state: SectorState, phase: PhaseId): boolean =>
  phase === 'P6' && mustWaitForLanded(state);

async function untilReady(sector: Sector, phase: PhaseId): Promise<void> {
  await sector.until((state) => !isHeldForLanded(state, phase));
  await sector.until(({ attention }) => !attention[phase]);
  if (sector.state.phases[phase].backingOff) await backOff(sector, phase);
  if (sector.mayContinueAsNew()) await sector.continueAsNew();
}

async function backOff(sector: Sector, phase: PhaseId): Promise<void> {
  const { interruptions } = sector.state.phases[phase];
  const { backoffFirst, backoffMax } = sector.times;
  const delay = Math.min(backoffFirst * 2 ** (interruptions - 2), backoffMax);
  await sector.until(({ phases }) => !phases[phase].backingOff, delay);
}

/** Error types (Temporal's names) that the server does not retry: the workflow handles them. */
const TIMED_OUT = 'TemporalTimeout:StartToClose';
const LOST_WORKER = 'TemporalTimeout:Heartbeat';

function optionsOf(sector: Sector, phase: PhaseId): ActivityOptions {
  const { times, scale } = sector;
  const { seal, phases } = sector.state;
  const { tries } = phases[phase];
  const isRescheduled = tries > 1;
  const { startToCloseMinutes, title } = PHASES[phase];
  return {
    taskQueue: phaseQueue(seal.group, seal.size, phase),
    startToCloseTimeout: startToCloseMinutes[seal.size] * 60_000 * scale,
    heartbeatTimeout: times.heartbeatTimeout,
    retry: {
      initialInterval: times.noSlotFirst,
      maximumInterval: times.noRoomMax,
      // The first lost worker reschedules the phase ahead of new work; the server retries later ones without an
      // event.
      nonRetryableErrorTypes: isRescheduled ? [TIMED_OUT] : [TIMED_OUT, LOST_WORKER],
    },
    // A step back must not begin while an activity still uses what it invalidates.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: `${seal.sector} ${phase} ${title}${isRescheduled ? `, try ${tries}` : ''}`,
    priority: { priorityKey: isRescheduled ? BEGUN : seal.priority ? PREFERRED : NORMAL },
  };
}
