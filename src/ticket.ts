/** What P1 and P2 need of a ticket's life. */
import { hours } from './units.js';
import type { SectorSize } from './phases.js';

/** The phases that must end while the ticket lasts: the pre-commit has their commR. */
export const TICKET_PHASES = ['P1', 'P2'] as const;
export type TicketPhase = (typeof TICKET_PHASES)[number];

/** How long a phase takes. */
export interface Took {
  ms: number;
  /** The finished ones that this is the median of; 0: it is what the table says. */
  of: number;
}
export type Needs = Record<TicketPhase, Took>;

/**
 * Where no sector was finished yet: the fastest that is known, so that none is refused that a host could make. 32 GiB: P1 in 3 h
 * by a core with SHA-NI and its producers, P2 in 20 minutes by a GPU; twice that at 64 GiB; test sizes as measured on two cores.
 */
const USUAL_SECONDS: Readonly<Record<SectorSize, Readonly<Record<TicketPhase, number>>>> = {
  '2KiB': { P1: 0.5, P2: 0.5 },
  '8MiB': { P1: 1, P2: 1 },
  '512MiB': { P1: 45, P2: 30 },
  '32GiB': { P1: 3 * 3600, P2: 20 * 60 },
  '64GiB': { P1: 6 * 3600, P2: 40 * 60 },
};

export const usual = (size: SectorSize, phase: TicketPhase): Took => ({
  ms: USUAL_SECONDS[size][phase] * 1000,
  of: 0,
});

export const usualNeeds = (size: SectorSize): Needs => ({
  P1: usual(size, 'P1'),
  P2: usual(size, 'P2'),
});

export const totalOf = ({ P1, P2 }: Needs): number => P1.ms + P2.ms;

/** `P1 and P2 take 6.1 h there (P1 5.6 h as 12 before, P2 30 min at best)` */
export const describeNeeds = (needs: Needs, where: string): string =>
  `P1 and P2 take ${hours(totalOf(needs))} ${where} (${TICKET_PHASES.map((phase) => describeTook(phase, needs[phase])).join(', ')})`;

const describeTook = (phase: TicketPhase, { ms, of }: Took): string =>
  `${phase} ${hours(ms)} ${of === 0 ? 'at best' : `as ${of} before`}`;

/** `its ticket is 29.3 h old and ends in 2.2 h` @param now in ms since 1970 */
export function describeLife({ from, until }: { from: string; until: string }, now: number): string {
  const left = Date.parse(until) - now;
  const end = left > 0 ? `ends in ${hours(left)}` : `has ended ${hours(-left)} ago`;
  return `its ticket is ${hours(now - Date.parse(from))} old and ${end}`;
}
