/** An engine of a host that was cut off: superseded, frozen in the middle of a layer, and forgotten. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readResult } from '../../../src/sector-directory/attempt.js';
import { engineRuns, startEngine } from '../../helpers/engine.js';
import { eventually } from '../../helpers/eventually.js';
import { readJsonFile } from '../../helpers/on-disk.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { sectorFileName, sectorOf } from '../../../src/sector.js';
import { ENGINE_ENVIRONMENT, type Fixture } from '../fixture.js';
import type { Begun } from '../outcome.js';

/** Has it begin `1/P1-2` beside the P1 that counts, and freezes it half-way. It is killed when the test ends. */
export async function startLateEngine({ group }: Fixture, { sector }: Begun): Promise<{ pid: number }> {
  const counts = group.attempt(sector, '1/P1-1');
  if (!(await readResult({ directory: counts }))) throw new Error(`${counts} has no result`);
  const job = await readJsonFile<Record<string, unknown>>(join(counts, 'job.json'));
  const directory = group.attempt(sector, '1/P1-2');
  await mkdir(directory);
  const madeBy = { host: group.ip(250), worker: 'of a host that was cut off', version: '0' };
  await writeFile(join(directory, 'job.json'), JSON.stringify({ ...job, earlier: [], madeBy }));
  // Checkpoints of its own: its work is not the sector's.
  const checkpoints = await temporaryDirectory();
  await writeFile(join(checkpoints, `${sectorFileName(sectorOf(sector))}-P1.hold`), 'middle');
  const { pid } = await startEngine(directory, { ...ENGINE_ENVIRONMENT, FIXTURE_CHECKPOINTS: checkpoints });
  await eventually(async () => (await engineRuns(checkpoints)).some(({ what }) => what === 'held'));
  process.kill(pid, 'SIGSTOP');
  return { pid };
}
