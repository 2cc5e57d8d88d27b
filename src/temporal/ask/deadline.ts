/** How a sector stands to its deadline: what is left, and what it still needs of that. */
import type { HeartbeatDetails } from '../../heartbeat.js';
import type { SealStatus } from '../../messages.js';
import { totalOf } from '../../ticket.js';
import { hours } from '../../units.js';
import type { WhoServes } from './who-serves.js';

type Known = Pick<
  SealStatus,
  'sector' | 'group' | 'size' | 'phases' | 'deadline' | 'draws' | 'chain' | 'late'
>;

/** @returns ms that P1 and P2 still take; undefined when the sector has no ticket that runs, or P2 is done */
export async function needsOf(
  { group, size, phases: { P1, P2 }, deadline }: Known,
  engines: readonly HeartbeatDetails[],
  whoServes: WhoServes,
): Promise<number | undefined> {
  if (deadline?.what !== 'ticket' || P2.state === 'done') return undefined;
  const told = engines.find(({ needsMs }) => needsMs !== undefined)?.needsMs;
  if (told !== undefined) return told;
  const needs = await whoServes.needs(group, size);
  return P1.state === 'done' ? needs.P2.ms : totalOf(needs);
}

/** `ticket ends in 9.2 h, needs 6.1 h` */
export function describeDeadline(
  { sector, phases, deadline, draws, chain, late }: Known,
  needsMs: number | undefined,
  now = Date.now(),
): string | undefined {
  if (!deadline) return undefined;
  const left = Date.parse(deadline.at) - now;
  if (deadline.what === 'proof')
    return left > 0
      ? `its proof must be on chain within ${hours(left)}`
      : `its proof had to be on chain ${hours(-left)} ago`;
  const end = left > 0 ? `ends in ${hours(left)}` : `has ended ${hours(-left)} ago`;
  if (left <= 0 && phases.P1.state === 'done')
    return `ticket ${end}: no pre-commit can land any more; ${anew(sector, chain)}`;
  // A host has said so; its heartbeat may be of before.
  if (late !== undefined) return `ticket ${end}: it will miss it (${late}); ${anew(sector, chain)}`;
  if (needsMs === undefined) return `ticket ${end}: its pre-commit must be on chain before`;
  const sum = `ticket ${end}, needs ${hours(needsMs)}`;
  if (left >= needsMs) return sum;
  const isBegun = phases.P1.state === 'working' || phases.P1.state === 'done';
  if (draws !== undefined && !isBegun) return `${sum}: another one is drawn before P1 begins`;
  return `${sum}: it will miss it; ${anew(sector, chain)}`;
}

const anew = (sector: string, chain: boolean | undefined): string =>
  `sealflow retry ${sector} ${chain ? '--draw-ticket' : '--ticket HEX@EPOCH'} begins anew`;
