/** Free space for sectors: in local_dir for those being sealed, on a storage node for finished ones. */
import type { Config } from '../../config.js';
import { scratchBytes, storedBytes, type SectorSize } from '../../phases.js';
import type { Room } from '../../group/scratch.js';
import { fail, ok, warn, type Verdict } from '../finding.js';
import { amount, gigabytes } from '../../units.js';
import { slotsOf } from './config.js';

/** @param room free bytes, and bytes that the sectors already there will still use */
export function judgeRoom(config: Config, { free, reserved, sectors }: Room): Verdict {
  const more = Math.max(0, slotsOf(config, 'P1') - sectors);
  const each = scratchBytes(config.size);
  const wanted = reserved + more * each;
  const taken = `, ${sectors} sector${sectors === 1 ? '' : 's'} there will still use ${gigabytes(reserved)}`;
  const found = `${gigabytes(free)} free${sectors > 0 ? taken : ''}`;
  if (free >= wanted) return ok(found);
  const hint = 'free space, wait for P6 to free some, or lower num of the P1 pool';
  if (free < reserved) return fail(found, `${gigabytes(reserved)} for the sectors already there`, hint);
  const verdict = free - reserved < each ? fail : warn;
  return verdict(found, `${gigabytes(wanted)}: ${gigabytes(each)} for each of ${more} more in P1`, hint);
}

export interface NodeRoom {
  node: string;
  /** Bytes, or the error that prevented measuring; its message names the node. */
  free: number | Error;
}

export function judgeNodes(nodes: readonly NodeRoom[], size: SectorSize): Verdict {
  const needed = storedBytes(size);
  const found = nodes
    .map(({ node, free }) => (free instanceof Error ? free.message : `${node} ${gigabytes(free)} free`))
    .join(', ');
  const lacking = nodes.filter(({ free }) => free instanceof Error || free < needed);
  if (lacking.length === 0) return ok(found);
  const verdict = lacking.length === nodes.length ? fail : warn;
  const namesOf = (some: readonly NodeRoom[]): string => some.map(({ node }) => node).join(', ');
  const unseen = lacking.filter(({ free }) => free instanceof Error);
  const full = lacking.filter((one) => !unseen.includes(one));
  const hints = [
    ...(unseen.length > 0 ? [`mount ${namesOf(unseen)}, or see why it does not answer`] : []),
    ...(full.length > 0 ? [`free space on ${namesOf(full)}, or add a node to storage-nodes`] : []),
  ];
  const wanted =
    full.length > 0 ? `${amount(needed)} for one more ${size} sector on each` : 'nodes that can be looked at';
  return verdict(found, wanted, hints.join('; '));
}
