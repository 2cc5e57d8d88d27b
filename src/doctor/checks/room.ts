/** Room for sectors: in local_dir for those in work, on a storage node for finished ones. */
import type { Config } from '../../config.js';
import { scratchBytes, storedBytes, type SectorSize } from '../../phases.js';
import type { Room } from '../../group/scratch.js';
import { fail, ok, warn, type Verdict } from '../finding.js';
import { gigabytes } from '../../units.js';
import { slotsOf } from './config.js';

/** @param room what is free, and what the sectors that lie there will still use */
export function judgeRoom(config: Config, { free, reserved, sectors }: Room): Verdict {
  const places = Math.max(0, slotsOf(config, 'P1') - sectors);
  const each = scratchBytes(config.size);
  const wanted = reserved + places * each;
  const taken = `, ${sectors} sector${sectors === 1 ? '' : 's'} there will use ${gigabytes(reserved)} of it`;
  const found = `${gigabytes(free)} free${sectors > 0 ? taken : ''}`;
  if (free >= wanted) return ok(found);
  const hint = 'make room, let P6 free some, or set num of the P1 pool lower';
  if (free < reserved) return fail(found, `${gigabytes(reserved)} for the sectors that lie there`, hint);
  const tell = free - reserved < each ? fail : warn;
  return tell(found, `${gigabytes(wanted)}: ${gigabytes(each)} for each of ${places} more in P1`, hint);
}

export interface NodeRoom {
  node: string;
  /** Bytes, or why that cannot be known; the message names the node. */
  free: number | Error;
}

export function judgeNodes(nodes: readonly NodeRoom[], size: SectorSize): Verdict {
  const needed = storedBytes(size);
  const found = nodes
    .map(({ node, free }) => (free instanceof Error ? free.message : `${node} ${gigabytes(free)} free`))
    .join(', ');
  const without = nodes.filter(({ free }) => free instanceof Error || free < needed);
  if (without.length === 0) return ok(found);
  const tell = without.length === nodes.length ? fail : warn;
  return tell(
    found,
    `${gigabytes(needed)} for one more ${size} sector on each`,
    `make room on ${without.map(({ node }) => node).join(', ')}, or add a node to storage-nodes`,
  );
}
