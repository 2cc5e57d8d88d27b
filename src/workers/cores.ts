/** Assigns CPUs to engines, once for each host: seats to P1, to P2 and P3 all that is left but the reserved ones. */
import type { Config } from '../config.js';
import { readTopology, type Topology } from '../machine/topology.js';
import type { PhaseId } from '../phases.js';
import { UserError } from '../user-error.js';
import {
  countSeats,
  cpusOfSeats,
  largestSeats,
  MAX_CORES_PER_SECTOR,
  placeSeats,
  type Seat,
} from './seats.js';

const WIDE: readonly PhaseId[] = ['P2', 'P3'];
/** Whether P2 or P3, which use many cores, are among them. */
export const isWide = (phases: readonly PhaseId[]): boolean => phases.some((phase) => WIDE.includes(phase));

/** What the plan is made of. */
export type CoreConfig = Pick<Config, 'pools' | 'engine'>;

/** How many P1 may run at once. */
const countP1 = ({ pools }: Pick<Config, 'pools'>): number =>
  pools.filter(({ phases }) => phases.includes('P1')).reduce((sum, { slots }) => sum + slots, 0);

/**
 * How many P1 may run beside a P2 or P3 of the same config: all slots of the pools that serve P1, less one for
 * each pool that also serves P2 or P3.
 */
export const p1Beside = ({ pools }: Pick<Config, 'pools'>): number =>
  countP1({ pools }) - pools.filter(({ phases }) => phases.includes('P1') && isWide(phases)).length;

export interface CorePlan {
  allowed: readonly number[];
  /** One for each P1; none: all P1 share `p1`. */
  seats: readonly Seat[];
  /** CPUs of P1 without seats; undefined: all. */
  p1?: readonly number[];
  /** Threads that gather parents for a P1 without a seat. */
  producers: number;
  /** CPUs of each P2 and P3; undefined: all, as none is served. */
  wide?: readonly number[];
}

/**
 * Divides the host's CPUs between phases. Where P2 or P3 are served, the lowest `reserved_cores` stay free for interrupts
 * and system work. If P1 may run beside them, the next ones go to P1: at most `p1_cores`, by default half of what
 * remains. P2 and P3 get the rest.
 * @throws UserError when no CPU would be left for P2 and P3, or `p1_cores_per_sector` does not fit
 */
export function planCores(config: CoreConfig, topology: Topology = readTopology()): CorePlan {
  const { allowed } = topology;
  const { reserved_cores: reserved, p1_cores: configured } = config.engine;
  if (!config.pools.some(({ phases }) => isWide(phases))) return { ...seated(config, topology), allowed };
  const unreserved = allowed.slice(reserved);
  if (unreserved.length === 0) throw noneLeft(reserved, 0, allowed.length);
  const beside = p1Beside(config);
  const free = only(topology, unreserved);
  // These P1 and P2 take turns, so they may have the same cores.
  if (beside === 0) return { ...seated(config, free), allowed, wide: unreserved };
  if (configured === 0) {
    return { allowed, seats: [], wide: unreserved, producers: producersAnywhere(config, topology) };
  }
  const half = Math.floor(unreserved.length / 2);
  const room = configured ?? (config.engine.p1_cores_per_sector === undefined ? half : unreserved.length - 1);
  if (unreserved.length <= room) throw noneLeft(reserved, room, allowed.length);
  const { seats, producers } = seated(config, free, room);
  const p1 = unreserved.slice(0, configured ?? Math.min(beside, half));
  const taken = new Set(seats.length > 0 ? cpusOfSeats(seats) : p1);
  const wide = unreserved.filter((cpu) => !taken.has(cpu));
  return { allowed, seats, producers, wide, ...(seats.length === 0 && p1.length > 0 && { p1 }) };
}

/** Seats for all P1 of the config. @param budget CPUs that they may take together */
function seated(
  config: CoreConfig,
  { groups }: Topology,
  budget = Infinity,
): Pick<CorePlan, 'seats' | 'producers'> {
  const count = countP1(config);
  const size = config.engine.p1_cores_per_sector;
  if (count === 0 || size === 1) return { seats: [], producers: 0 };
  if (size === undefined) return { seats: largestSeats(count, groups, budget), producers: 0 };
  const fitting = countSeats(size, groups, budget);
  if (fitting < count) {
    const best = largestSeats(count, groups, budget)[0]?.length ?? 1;
    throw doesNotFit(size, count, fitting, best);
  }
  return { seats: placeSeats(count, size, groups), producers: 0 };
}

/** Of P1 that run on any core: as many as there would be cores for if all P1 ran. */
function producersAnywhere(config: CoreConfig, { groups }: Topology): number {
  const share = Math.floor(groups.flat().length / countP1(config));
  const size = config.engine.p1_cores_per_sector ?? Math.min(share, MAX_CORES_PER_SECTOR);
  return Math.max(0, size - 1);
}

/** The cores of which all CPUs are among these. */
function only({ groups }: Topology, cpus: readonly number[]): Topology {
  const isFree = (core: readonly number[]): boolean => core.every((cpu) => cpus.includes(cpu));
  return { allowed: cpus, groups: groups.map((cores) => cores.filter(isFree)) };
}

function noneLeft(reserved: number, p1: number, cpus: number): UserError {
  const besideP1 = p1 > 0 ? ` and p1_cores = ${p1}` : '';
  const max = Math.max(0, cpus - 1);
  const target = `${p1 > 0 ? 'reduce their sum' : 'set it'} to ${max} or less`;
  const hint = `${target}, or serve P2 and P3 on another host`;
  return new UserError(
    `engine.reserved_cores = ${reserved}${besideP1} leaves no core for P2 and P3: this host has ${cpus}`,
    { hint },
  );
}

function doesNotFit(size: number, count: number, fitting: number, best: number): UserError {
  const fewer = fitting > 0 ? `, or num of the pools with P1 to ${fitting} in all` : '';
  return new UserError(
    `engine.p1_cores_per_sector = ${size} for ${count} P1 at once: this host has room for ${fitting} ` +
      '(the cores of each share an L3 cache, and none is reserved or used by P2 and P3)',
    { hint: `set p1_cores_per_sector to ${best}${fewer}` },
  );
}
