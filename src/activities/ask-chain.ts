/** The activities by which a sector waits for the chain: for hours or days, without an event in its history. */
import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, cancellationDetails, cancellationSignal, heartbeat } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { drawTicket, freeNumbers, landingOf, seedOf, type Answer, type Watch } from '../chain/answers.js';
import { ChainError } from '../chain/chain.js';
import { sectorCid } from '../chain/cids.js';
import { refuseNewer } from '../contract.js';
import type { ChainActivities, ChainInput, NumberActivities } from '../contract-chain.js';
import type { HeartbeatDetails } from '../heartbeat.js';
import type { PhaseId } from '../phases.js';
import { SealError } from '../seal-error.js';
import { toApplicationFailure, toSealError } from './temporal-failure.js';

export interface ChainDeps {
  watch: Watch;
  /** Who asks, for people: the orchestrator's host. */
  host: string;
  /** So often the chain is looked at, in ms. */
  lookMs: number;
}

export const createChainActivities = (deps: ChainDeps): ChainActivities & NumberActivities => ({
  drawTicket: (input) => waits(deps, 'P1', input, () => drawTicket(deps.watch, input.sector)),
  awaitSeed: (input) =>
    waits(deps, 'P3', input, () => seedOf(deps.watch, input.sector, cidOf(input), input.ticketEpoch)),
  awaitLanded: (input) =>
    waits(deps, 'P6', input, () => landingOf(deps.watch, input.sector, cidOf(input), input.preCommitEpoch)),
  freeNumbers: (input) => {
    refuseNewer('question', input);
    return freeNumbers(deps.watch, input);
  },
});

/**
 * Looks until there is an answer, and tells in its heartbeat what it waits for. A node that errs is asked again: nobody but its
 * operator can mend it.
 */
async function waits<T>(
  { host, lookMs }: ChainDeps,
  phase: PhaseId,
  input: ChainInput,
  look: () => Promise<Answer<T>>,
): Promise<T> {
  const say = (step: string): void =>
    heartbeat({ phase, host, at: '', step, fraction: null } satisfies HeartbeatDetails);
  try {
    refuseNewer('job', input);
    for (;;) {
      const found = await look().catch((error: unknown) => {
        if (error instanceof ChainError) return { waits: `the chain: ${error.message}` };
        throw error;
      });
      if ('answer' in found) return found.answer;
      say(`waits for ${found.waits}`);
      await sleep(lookMs, undefined, { signal: cancellationSignal() });
    }
  } catch (error) {
    if (!cancellationSignal().aborted) throw toApplicationFailure(toSealError(error, host));
    if (!cancellationDetails()?.workerShutdown) throw new CancelledFailure(`${phase} no longer waits`);
    // Another orchestrator takes it up, or this one when it is back.
    const goesOn = new SealError('Draining', `the orchestrator on ${host} stops`, { host });
    throw toApplicationFailure(goesOn, AGAIN_MS * activityInfo().attempt);
  }
}

const AGAIN_MS = 100;

/** commR of P2 as the chain writes it. */
function cidOf({ commR }: ChainInput): string {
  if (commR === undefined) throw new SealError('BadInput', 'the sector has no commR yet');
  return sectorCid(Buffer.from(commR, 'base64'));
}
