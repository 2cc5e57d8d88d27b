/** Sectors checked by the library of `sealflow verify`, with the test engine. */
import type { Engine } from '../../src/engines/engine.js';
import type { StoredCopy } from '../../src/verify/nodes.js';
import type { SectorReport } from '../../src/verify/report.js';
import { verifyCopies, type VerifyOptions } from '../../src/verify/verify.js';
import { sectorOf } from '../../src/sector.js';
import { ENGINE } from './engine.js';

export const testEngine = (environment: NodeJS.ProcessEnv = {}): Engine => ({
  command: ENGINE as [string, ...string[]],
  environment: { ...process.env, ...environment },
  source: 'SEALFLOW_ENGINE',
});

export const copyOf = (node: string, sector: string): StoredCopy => ({ node, sector: sectorOf(sector) });

/** The reports of several copies, in the order in which they came. */
export async function allVerified(
  copies: readonly StoredCopy[],
  options: Partial<VerifyOptions> = {},
): Promise<SectorReport[]> {
  const reports: SectorReport[] = [];
  const all = { engine: testEngine(), quick: false, jobs: 1, pollEveryMs: 1_000, ...options };
  for await (const report of verifyCopies(copies, all)) reports.push(report);
  return reports;
}

export async function verified(copy: StoredCopy, options?: Partial<VerifyOptions>): Promise<SectorReport> {
  const [report] = await allVerified([copy], options);
  if (!report) throw new Error('there is no report');
  return report;
}
