/** What a sector asks the chain, answered if the chain tells it yet. Pure of Temporal: who waits is in src/activities/ask-chain.ts. */
import type { DrawnSeed, DrawnTicket, FreeNumbers, FreeNumbersInput, Landing } from '../contract-chain.js';
import { CONTRACT_VERSION } from '../contract.js';
import { SealError } from '../seal-error.js';
import { sectorOf } from '../sector.js';
import { sinceText } from '../units.js';
import type { Chain, Head, PreCommit } from './chain.js';
import { lifeOf, proofUntil } from './deadlines.js';
import { beginOf, type Network } from './network.js';
import { lowestFree } from './numbers.js';
import { FINALITY, MAX_TICKET_AGE, SEED_DELAY } from './policy.js';

/** The answer; or, while there is none, what is waited for, in a few words. */
export type Answer<T> = { answer: T } | { waits: string };

export interface Watch {
  chain: Chain;
  network: Network;
  /** So many epochs must follow before something on chain is believed to stay. */
  confidence: number;
}

/** Drawn so far back that no reorganisation changes it. @throws ChainError */
export async function drawTicket({ chain, network }: Watch, sector: string): Promise<Answer<DrawnTicket>> {
  const { miner } = sectorOf(sector);
  const head = await chain.head();
  const epoch = head.epoch - FINALITY;
  if (epoch < 0) return { waits: `the chain is younger than ${FINALITY} epochs` };
  const ticket = await chain.ticket({ miner, epoch }, head);
  return { answer: { v: CONTRACT_VERSION, ticket, epoch, life: lifeOf(network, epoch) } };
}

/**
 * The seed follows from the epoch at which the pre-commit has landed.
 * @param sealedCid commR of P2 as a CID
 * @param ticketEpoch of its ticket, where it is known
 * @throws ChainError; SealError `ChainDiffers` when another commR was pre-committed, `TicketStale` when none can land any more
 */
export async function seedOf(
  watch: Watch,
  sector: string,
  sealedCid: string,
  ticketEpoch?: number,
): Promise<Answer<DrawnSeed>> {
  const head = await watch.chain.head();
  const found = await watch.chain.preCommit(sectorOf(sector), head);
  if (!found && ticketEpoch !== undefined) await refuseTooLate(watch, sector, ticketEpoch, head);
  if (!found) return { waits: `its pre-commit, which is not on chain at epoch ${head.epoch}` };
  refuseOther(found.sealedCid, sealedCid, `pre-committed at epoch ${found.epoch}`);
  return await seedAfter(watch, sector, found, head);
}

/** @throws SealError `TicketStale` when no pre-commit can land any more; one that is proved has none any more either */
async function refuseTooLate(
  { chain, confidence }: Watch,
  sector: string,
  ticketEpoch: number,
  head: Head,
): Promise<void> {
  const last = ticketEpoch + MAX_TICKET_AGE;
  if (head.epoch <= last + confidence || (await chain.proved(sectorOf(sector), head)) !== undefined) return;
  const message = `its pre-commit had to be on chain by epoch ${last}, and is not at epoch ${head.epoch}`;
  throw new SealError('TicketStale', message);
}

/**
 * @param preCommitEpoch whose seed the proof was made with
 * @throws ChainError; SealError `ChainDiffers`
 */
export async function landingOf(
  watch: Watch,
  sector: string,
  sealedCid: string,
  preCommitEpoch: number | undefined,
): Promise<Answer<Landing>> {
  const { chain } = watch;
  const head = await chain.head();
  const proved = await chain.proved(sectorOf(sector), head);
  if (proved !== undefined) {
    refuseOther(proved, sealedCid, 'proved');
    return { answer: { v: CONTRACT_VERSION, landed: true } };
  }
  const found = await chain.preCommit(sectorOf(sector), head);
  if (!found) return { waits: `its proof; its pre-commit is not on chain either, at epoch ${head.epoch}` };
  refuseOther(found.sealedCid, sealedCid, `pre-committed at epoch ${found.epoch}`);
  if (preCommitEpoch === undefined || found.epoch === preCommitEpoch)
    return { waits: `its proof, which is not on chain at epoch ${head.epoch}` };
  const moved = await seedAfter(watch, sector, found, head);
  return 'waits' in moved ? moved : { answer: { ...moved.answer, landed: false } };
}

/** @throws ChainError */
export async function freeNumbers(
  { chain }: Watch,
  { miner, ...wanted }: FreeNumbersInput,
): Promise<FreeNumbers> {
  const head = await chain.head();
  const allocated = await chain.allocated(miner.slice(2), head);
  return { v: CONTRACT_VERSION, free: lowestFree(allocated, wanted), epoch: head.epoch };
}

async function seedAfter(
  { chain, network, confidence }: Watch,
  sector: string,
  found: PreCommit,
  head: Head,
): Promise<Answer<DrawnSeed>> {
  const epoch = found.epoch + SEED_DELAY;
  const known = epoch + confidence;
  if (head.epoch < known) {
    const at = sinceText(new Date(beginOf(network, known)));
    return { waits: `its seed, of epoch ${epoch}: at about ${at} (pre-commit at ${found.epoch})` };
  }
  const seed = await chain.seed({ miner: sectorOf(sector).miner, epoch }, head);
  const until = proofUntil(network, found.epoch);
  return { answer: { v: CONTRACT_VERSION, seed, preCommitEpoch: found.epoch, proofUntil: until } };
}

function refuseOther(onChain: string, own: string, how: string): void {
  if (onChain !== own) throw new SealError('ChainDiffers', `commR ${onChain} is ${how}, ours is ${own}`);
}
