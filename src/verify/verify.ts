/** `sealflow verify`: stored sectors, checked from nothing but their receipts and their storage nodes. Nothing is changed. */
import { join } from 'node:path';
import type { Engine } from '../engines/engine.js';
import { nodeName, stored } from '../paths.js';
import { sectorName } from '../sector.js';
import { asTheyEnd } from '../as-they-end.js';
import { checkCopy, type CheckCopyOptions } from './check-copy.js';
import { inspectReceipt } from './inspect-receipt.js';
import type { StoredCopy } from './nodes.js';
import type { SectorReport } from './report.js';
import { unreadableReason } from './unreadable.js';

export interface VerifyOptions extends CheckCopyOptions {
  engine: Engine;
  /** How many engines at once: one reads a disk at full speed. */
  jobs: number;
}

/**
 * Checks each copy by an engine of its own.
 * @returns a report of each, as soon as it is known
 * @throws UserError when the engine cannot do this; the signal's reason. All engines have ended then.
 */
export const verifyCopies = (
  copies: readonly StoredCopy[],
  options: VerifyOptions,
): AsyncGenerator<SectorReport> =>
  asTheyEnd(copies, options.jobs, (copy) => verifyCopy(copy, options), options.signal);

type Outcome = Pick<SectorReport, 'result'> & Partial<SectorReport>;

async function verifyCopy(copy: StoredCopy, options: VerifyOptions): Promise<SectorReport> {
  const began = performance.now();
  const { result, size, bytes = 0, checks = [], why, writtenOn } = await outcomeOf(copy, options);
  const seconds = (performance.now() - began) / 1000;
  const { quick } = options;
  const { sector, node } = copy;
  return { sector: sectorName(sector), node, result, size, quick, bytes, seconds, checks, why, writtenOn };
}

async function outcomeOf({ sector, node }: StoredCopy, options: VerifyOptions): Promise<Outcome> {
  let known: Partial<SectorReport> = {};
  try {
    const looked = await inspectReceipt({ sector, node });
    if ('wrong' in looked) return { result: 'wrong', checks: [looked.wrong] };
    const { size, node: written } = looked.receipt;
    known = { size, writtenOn: written === nodeName(node) ? undefined : written };
    const receipt = join(node, stored.receipt(sector));
    return { ...known, ...(await checkCopy(options.engine, receipt, node, options)) };
  } catch (error) {
    const why = unreadableReason(error);
    if (why === undefined) throw error;
    return { ...known, result: 'not checked', why };
  }
}
