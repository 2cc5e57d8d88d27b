/** Before an hour of P1 is spent: whether the ticket will last until its pre-commit can be sent. */
import { lifeWhenDrawn } from '../chain/deadlines.js';
import type { HeartbeatDetails } from '../heartbeat.js';
import type { EngineResult, Progress } from '../engines/protocol.js';
import type { Attempt, OpenGroup } from '../paths.js';
import { SealError } from '../seal-error.js';
import { readJob, recordedFiles } from '../sector-directory/attempt.js';
import { describeLife, describeNeeds, TICKET_PHASES, totalOf, usualNeeds } from '../ticket.js';
import type { Deps } from './deps.js';
import type { Task } from './task.js';
import { TicketWatch } from './ticket-watch.js';

/** Of what is left of a ticket that is drawn now: until P1 has it, and a slot, some of it is gone. Else it could be drawn for ever. */
const USABLE = 0.98;

/**
 * To be asked by a P1 that is about to begin, in its slot. One that goes on from layers does: hours of work are never given up for
 * the age of a ticket. Where nobody knows when the ticket ends, nothing is said of it.
 * @param earlier attempts whose files it may take over
 * @throws failure `TicketStale`
 */
export async function refuseStaleTicket(
  { identity, durations }: Deps,
  group: OpenGroup,
  { seal, offer }: Task,
  earlier: readonly Attempt[] = [],
): Promise<void> {
  const { ticketLife: life, size } = seal;
  if (!life || (await hasLayers(earlier))) return;
  // This host's clock, unless the server's is known to be further: a task waits for days, and does not know when it was taken.
  const now = Math.max(Date.now(), offer.now());
  const needs = await durations.needs(group, size);
  const needsMs = totalOf(needs);
  if (Date.parse(life.until) - now >= needsMs) return;
  const noTicketLasts = lifeWhenDrawn(life) * USABLE < needsMs;
  const sum = `${describeLife(life, now)}; ${describeNeeds(needs, `on ${identity.host}`)}`;
  throw new SealError('TicketStale', noTicketLasts ? `${sum}; no ticket lasts so long` : sum, {
    host: identity.host,
    needsMs,
    ...(noTicketLasts && { noTicketLasts }),
  });
}

/**
 * Foresees whether a P1 or P2 under way will be done before its ticket ends, and tells the workflow.
 * @returns to be called with each look at its engine; gives what its heartbeat tells
 */
export async function foreseeing(
  { durations, journal }: Deps,
  group: OpenGroup,
  { seal, phase, late, offer }: Task,
): Promise<(progress: Pick<Progress, 'step' | 'fraction'>) => Pick<HeartbeatDetails, 'needsMs'>> {
  const own = TICKET_PHASES.find((id) => id === phase);
  const { ticketLife, size, sector } = seal;
  if (!own || !ticketLife) return () => ({});
  // The engine is at work: a mount that hangs now must not part it from its task.
  const needs = await durations.needs(group, size).catch(() => usualNeeds(size));
  const watch = new TicketWatch(own, ticketLife, needs);
  let isLogged = late.isTold;
  return (progress) => {
    const now = Math.max(Date.now(), offer.now());
    const { late: why, ...told } = watch.look(progress, performance.now(), now, late.isTold);
    if (why !== undefined && !isLogged) journal.warns({ sector, phase: own }, `will miss its ticket: ${why}`);
    isLogged = why !== undefined;
    late.judged(why);
    return told;
  };
}

async function hasLayers(attempts: readonly Attempt[]): Promise<boolean> {
  const recorded = await Promise.all(attempts.map(recordedFiles));
  return recorded.flat().some(({ name }) => name.includes('-layer-'));
}

/** Learns from a P1 or P2 of this host that was made from its beginning. Nothing depends on it. */
export async function learnDuration(
  { identity, durations, journal }: Deps,
  group: OpenGroup,
  { seal, phase }: Task,
  attempt: Attempt,
  { facts }: EngineResult,
): Promise<void> {
  const own = TICKET_PHASES.find((id) => id === phase);
  if (!own || facts.host !== identity.host) return;
  try {
    if ((await readJob(attempt))?.earlier?.length !== 0) return;
    await durations.record(group, seal.size, own, `${seal.sector} ${attempt.at}`, facts.seconds);
  } catch (error) {
    journal.warns({ sector: seal.sector, phase }, `what it took is not noted: ${(error as Error).message}`);
  }
}
