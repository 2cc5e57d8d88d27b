/** Seats of P1: cores of one L3 cache that compute one sector's labels and that no other engine has. */
import type { Core, Topology } from '../machine/topology.js';

/** One core hashes, the others gather the parents of the nodes to come for it: more than three find nothing to do. */
export const MAX_CORES_PER_SECTOR = 4;

export type Seat = readonly Core[];

/** The CPUs that an engine on the seat is pinned to: one of each core, as two threads on one core would slow each other. */
export const pinsOf = (seat: Seat): number[] => seat.map(([first]) => first as number);

/** All CPUs of the seats, hyperthreads included. */
export const cpusOfSeats = (seats: readonly Seat[]): number[] => seats.flat(2);

/**
 * Places seats of `size` cores, each within one L3 cache, and spreads them over the caches.
 * @param most as many as fit, up to this
 */
export function placeSeats(most: number, size: number, groups: Topology['groups']): Seat[] {
  const free = groups.map((cores) => [...cores]);
  const seats: Seat[] = [];
  while (seats.length < most) {
    const emptiest = free.reduce<Core[]>((best, cores) => (cores.length > best.length ? cores : best), []);
    if (emptiest.length < size) break;
    seats.push(emptiest.splice(0, size));
  }
  return seats;
}

/**
 * As many seats as there are P1, all of them as large as they can be.
 * @param budget CPUs that they may take together
 * @returns none if no seats of two cores or more fit
 */
export function largestSeats(count: number, groups: Topology['groups'], budget: number): Seat[] {
  for (let size = MAX_CORES_PER_SECTOR; size > 1; size--) {
    const seats = placeSeats(count, size, groups);
    if (seats.length === count && cpusOfSeats(seats).length <= budget) return seats;
  }
  return [];
}

/** How many seats of this size fit. */
export function countSeats(size: number, groups: Topology['groups'], budget: number): number {
  const seats = placeSeats(Infinity, size, groups);
  while (cpusOfSeats(seats).length > budget) seats.pop();
  return seats.length;
}
