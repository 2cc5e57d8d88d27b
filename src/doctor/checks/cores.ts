/** The plan of cores: which ones P1, P2 and P3 get. */
import type { Config } from '../../config.js';
import { formatCpuList, type Topology } from '../../machine/topology.js';
import { UserError } from '../../user-error.js';
import { planCores, type CorePlan } from '../../workers/cores.js';
import { pinsOf } from '../../workers/seats.js';
import { fail, ok, type Verdict } from '../finding.js';
import { slotsOf } from './config.js';

/** @param topology of the CPUs in this process' affinity mask */
export function judgeCores(config: Config, topology: Topology): Verdict {
  try {
    return ok(mapOf(planCores(config, topology), slotsOf(config, 'P1') > 0));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return fail(error.message, 'cores for all that this config serves at once', error.hint ?? '');
  }
}

/** `8 of 16 for P2 and P3 (8-15); 2 for each P1 (2-3 4-5 6-7)`. */
function mapOf({ allowed, wide, seats, p1, producers }: CorePlan, servesP1: boolean): string {
  const forWide = wide
    ? `${wide.length} of ${allowed.length} for P2 and P3 (${formatCpuList(wide)})`
    : `${allowed.length}, no P2 or P3`;
  if (!servesP1) return forWide;
  const seat = seats[0];
  if (seat)
    return `${forWide}; ${seat.length} for each P1 (${seats.map(pinsOf).map(formatCpuList).join(' ')})`;
  const where = p1 ? `${p1.length} for all P1 (${formatCpuList(p1)})` : 'P1 on any';
  return `${forWide}; ${where}, ${producers + 1} for each`;
}
