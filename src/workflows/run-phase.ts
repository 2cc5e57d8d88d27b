/** The one loop in which every phase runs: schedule, and on a failure do what `errors.ts` says. */
import {
  ActivityCancellationType,
  ApplicationFailure,
  proxyActivities,
  type ActivityOptions,
} from '@temporalio/workflow';
import { phaseQueue, type PhaseResult, type SealActivities, type SealResult } from '../contract.js';
import { FAILURES, type FailureKind, type FailureType } from '../errors.js';
import { failureOf, NOT_FOR_TEMPORAL } from './failure-of.js';
import { PHASES, type EnginePhaseId, type PhaseId } from '../phases.js';
import { proofLanded } from './from-upstream.js';
import { StepBack } from './step-back.js';
import type { Sector } from './sector.js';

/** A phase that fails this often without progress needs attention; so does one that steps back this often. */
const MOST_FAILURES = 5;
const MOST_STEPS_BACK = 3;

/** Priority keys (1 comes first): what was begun goes before what an operator prefers, and that before the rest. */
export const BEGUN = 1;
const PREFERRED = 2;
const NORMAL = 3;

const ACTIVITY = {
  P1: 'preCommitPhase1',
  P2: 'preCommitPhase2',
  P3: 'commitPhase1',
  P4: 'commitPhase2',
  P5: 'copySector',
} as const satisfies Record<EnginePhaseId, keyof SealActivities>;

/** P1–P5: returns at once when the result is known. */
export async function runPhase(sector: Sector, phase: EnginePhaseId): Promise<PhaseResult> {
  const known = sector.results[phase];
  if (known) return known;
  const result = await untilDone(sector, phase, (options) =>
    proxyActivities<SealActivities>(options)[ACTIVITY[phase]](sector.phaseInput(phase)),
  );
  sector.finished(phase, result);
  return result;
}

/** P6, when proof and copy are there. */
export async function cleanSector(sector: Sector): Promise<SealResult> {
  const cleaned = await untilDone(sector, 'P6', (options) =>
    proxyActivities<SealActivities>(options).cleanSector(sector.cleanInput()),
  );
  return sector.sealed(cleaned);
}

async function untilDone<T>(
  sector: Sector,
  phase: PhaseId,
  schedule: (options: ActivityOptions) => Promise<T>,
): Promise<T> {
  let failures: FailureType[] = [];
  let recorded = 0;
  for (let tries = 0; ; tries++) {
    sector.running(phase);
    try {
      return await schedule(optionsOf(sector, phase));
    } catch (error) {
      const failed = failureOf(error);
      if (!failed) throw error;
      sector.failed(phase, failed);
      if ((failed.details.recorded ?? 0) > recorded) {
        recorded = failed.details.recorded ?? 0;
        failures = [];
      }
      const { follows, most = MOST_FAILURES }: FailureKind = FAILURES[failed.type];
      switch (follows) {
        case 'again':
          break;
        case 'hand back': // Temporal retries these without end; should one come through, it is only tried again.
        case 'wait':
          await sector.pause(phase, tries);
          break;
        case 'back off':
          failures.push(failed.type);
          if (
            failures.length < MOST_FAILURES &&
            failures.filter((type) => type === failed.type).length < most
          )
            await sector.pause(phase, failures.length - 1);
          else {
            await sector.needsAttention(phase, failed);
            failures = [];
          }
          break;
        case 'step back': {
          const to = failed.details.from;
          if (!to || sector.backs.of(phase) >= MOST_STEPS_BACK) {
            await sector.needsAttention(phase, failed);
            break;
          }
          sector.backs.countFor(phase);
          throw new StepBack(to, failed.message, 'one');
        }
        case 'attention':
          await sector.needsAttention(phase, failed);
          failures = [];
          break;
        case 'landed':
          await proofLanded(sector);
          break;
        case 'end':
          throw ApplicationFailure.nonRetryable(failed.message, failed.type);
      }
    }
  }
}

function optionsOf(sector: Sector, phase: PhaseId): ActivityOptions {
  const { seal, times, scale } = sector;
  const { tries } = sector.phases[phase];
  const { startToCloseMinutes, title } = PHASES[phase];
  return {
    taskQueue: phaseQueue(seal.group, seal.size, phase),
    startToCloseTimeout: startToCloseMinutes[seal.size] * 60_000 * scale,
    heartbeatTimeout: times.heartbeatTimeout,
    retry: {
      initialInterval: times.noSlotFirst,
      maximumInterval: times.noRoomMost,
      nonRetryableErrorTypes: NOT_FOR_TEMPORAL,
    },
    // A step back must not begin before what it voids has been let go.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: `${seal.sector} ${phase} ${title}${tries > 1 ? `, try ${tries}` : ''}`,
    priority: { priorityKey: tries > 1 ? BEGUN : seal.priority ? PREFERRED : NORMAL },
  };
}
