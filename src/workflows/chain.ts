/** What a sector needs of the chain: its ticket, its seed, and the word that its proof has landed. People may give each of them too. */
import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import { CHAIN_QUEUE, CONTRACT_VERSION } from '../contract.js';
import type { ChainActivities, ChainInput, DrawnSeed } from '../contract-chain.js';
import type { PhaseId } from '../phases.js';
import type { Event } from './core/reduce.js';
import { mustWaitForLanded, type SectorState } from './core/state.js';
import { failureOf } from './failure-of.js';
import { endPassIfNeeded } from './run-phase.js';
import type { Sector } from './sector.js';

/** Draws the ticket, unless there is one. */
export async function ticketIsThere(sector: Sector): Promise<void> {
  const isThere = ({ seal }: SectorState): boolean => seal.ticket !== undefined;
  const drawn = await fromChain(sector, 'P1', isThere, (chain, input) => chain.drawTicket(input));
  if (drawn) sector.dispatch({ type: 'ticket', ticket: drawn.ticket, epoch: drawn.epoch, life: drawn.life });
}

/** Waits for the seed, which the chain has some time after the pre-commit. */
export async function seedIsThere(sector: Sector): Promise<void> {
  const isThere = ({ seal }: SectorState): boolean => seal.seed !== undefined;
  const drawn = await fromChain(sector, 'P3', isThere, (chain, input) => chain.awaitSeed(input));
  if (drawn) sector.dispatch(seedEvent(drawn));
}

/**
 * Waits until the proof is on chain, if the scratch is kept until then. A pre-commit that a reorganisation has moved brings another
 * seed: P3 and P4 run again.
 */
export async function proofHasLanded(sector: Sector): Promise<void> {
  const needNotWait = (state: SectorState): boolean => !state.seal.chain || !mustWaitForLanded(state);
  const landing = await fromChain(sector, 'P6', needNotWait, (chain, input) => chain.awaitLanded(input));
  if (!landing) return;
  if (landing.landed) sector.dispatch({ type: 'landed' });
  else sector.dispatch(seedEvent(landing));
  await endPassIfNeeded(sector);
}

const seedEvent = ({ seed, preCommitEpoch, proofUntil }: DrawnSeed): Event => ({
  type: 'seed',
  seed,
  preCommitEpoch,
  proofUntil,
});

/**
 * Asks the chain, until it answers or `isThere` holds otherwise.
 * @param phase what cannot begin before, and shows it if a person is needed
 * @returns undefined when it came otherwise, or the sector does not follow the chain and somebody has given it
 */
async function fromChain<T>(
  sector: Sector,
  phase: PhaseId,
  isThere: (state: SectorState) => boolean,
  ask: (chain: ChainActivities, input: ChainInput) => Promise<T>,
): Promise<T | undefined> {
  for (;;) {
    if (isThere(sector.state)) return undefined;
    if (!sector.state.seal.chain) {
      await sector.until(isThere);
      return undefined;
    }
    await sector.until(({ attention }) => !attention[phase]);
    try {
      return await askUnless(sector, isThere, ask);
    } catch (error) {
      const failure = failureOf(error);
      if (!failure) throw error;
      sector.dispatch({ type: 'failed', phase, failure, now: Date.now() });
    }
    await endPassIfNeeded(sector);
  }
}

/** The activity ends when somebody gives what it waits for. */
async function askUnless<T>(
  sector: Sector,
  isThere: (state: SectorState) => boolean,
  ask: (chain: ChainActivities, input: ChainInput) => Promise<T>,
): Promise<T | undefined> {
  const scope = new CancellationScope();
  const answer = scope.run(() => ask(chainOf(sector), inputOf(sector.state)));
  try {
    return await Promise.race([answer, sector.until(isThere).then(() => undefined)]);
  } finally {
    if (isThere(sector.state)) {
      scope.cancel();
      await answer.catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    }
  }
}

const inputOf = ({ seal, results, preCommitEpoch }: SectorState): ChainInput => ({
  v: CONTRACT_VERSION,
  sector: seal.sector,
  ...(results.P2?.commR !== undefined && { commR: results.P2.commR }),
  ...(seal.ticketEpoch !== undefined && { ticketEpoch: seal.ticketEpoch }),
  ...(preCommitEpoch !== undefined && { preCommitEpoch }),
});

/** Longer than any sector lives: each waits in its orchestrator, and is taken up by another one when that ends. */
const LONGEST = '400 days';

const chainOf = ({ times, state }: Sector): ChainActivities =>
  proxyActivities<ChainActivities>({
    taskQueue: CHAIN_QUEUE,
    startToCloseTimeout: LONGEST,
    heartbeatTimeout: times.chainHeartbeat,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: { initialInterval: times.noSlotFirst, maximumInterval: times.noRoomMax },
    summary: `${state.seal.sector} asks the chain`,
  });
