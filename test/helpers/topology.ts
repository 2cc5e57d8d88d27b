/** Machines as src/machine/topology.ts tells of them. */
import type { Topology } from '../../src/machine/topology.js';

/**
 * A machine of cores with one CPU each, or with two: CPU n and n + cores are then one core, as Linux numbers them.
 * @param caches L3 caches that the cores share evenly
 */
export function cores(count: number, { caches = 1, threads = 1 } = {}): Topology {
  const all = Array.from({ length: count }, (_, core) =>
    Array.from({ length: threads }, (_, thread) => core + thread * count),
  );
  const size = count / caches;
  const groups = Array.from({ length: caches }, (_, cache) => all.slice(cache * size, (cache + 1) * size));
  return { allowed: all.flat().sort((a, b) => a - b), groups };
}
