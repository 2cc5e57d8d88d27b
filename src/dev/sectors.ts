/** The sectors of `sealflow dev`: those that an earlier run has left, and new ones. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { parseSealInput, workflowId, type SealResult } from '../contract.js';
import { readJson } from '../files.js';
import type { OnStep } from '../machine/on-step.js';
import { cacheDir } from '../paths.js';
import type { PhaseId, SectorSize } from '../phases.js';
import { sectorFileName, sectorName, sectorOf } from '../sector.js';
import { UserError } from '../user-error.js';
import { sectorStatus, type SectorStatus } from '../temporal/ask/sector-status.js';
import { randomHex32, startSector, unservedPhases } from '../temporal/ask/start-sector.js';
import { DEV_GROUP, devSector, sectorsOf, type DevHome } from './home.js';
import { sectorStep, type Awaits } from './sector-step.js';

const POLL_MS = 500;

/** Waits until workers poll for these phases. */
export async function untilServed(
  client: Client,
  size: SectorSize,
  phases: readonly PhaseId[],
  signal: AbortSignal,
): Promise<void> {
  while ((await unservedPhases(client, DEV_GROUP, size)).some((phase) => phases.includes(phase))) {
    await sleep(POLL_MS, undefined, { signal });
  }
}

/** Resumes the sectors that were begun, and starts new ones up to the requested number. @returns their names. */
export async function startSectors(
  client: Client,
  home: DevHome,
  { sectors: count, size, timeScale }: { sectors: number; size: SectorSize; timeScale?: number },
): Promise<string[]> {
  const { begun, next } = await sectorsOf(home);
  const started = [];
  for (const sector of begun) {
    if (await resumeSector(client, home, sector, size)) started.push(sector);
  }
  for (let number = next; started.length < count; number++) {
    const sector = sectorName(devSector(number));
    const [ticket, seed] = [randomHex32(), randomHex32()];
    await startSector(client, { sector, size, group: DEV_GROUP, ticket, seed, timeScale });
    started.push(sector);
  }
  return started;
}

/**
 * Resumes a sector, unless it has another size: then it waits for a run with that size. The workflow may be lost with
 * its database; sector.json is not.
 * @returns whether it was resumed
 */
async function resumeSector(
  client: Client,
  home: DevHome,
  sector: string,
  size: SectorSize,
): Promise<boolean> {
  const file = join(cacheDir(home.group), sectorFileName(sectorOf(sector)), 'sector.json');
  const input = parseSealInput(await readJson(file)).data;
  if (input?.size !== size) return false;
  const handle = client.workflow.getHandle(workflowId(sectorOf(sector)));
  const running = await handle.describe().then(
    ({ status }) => status.name === 'RUNNING',
    () => false,
  );
  if (!running) await startSector(client, input);
  return true;
}

export interface Sealed {
  result: SealResult;
  status: SectorStatus;
}

/** Waits until all sectors are sealed, and reports progress. @throws UserError when one needs attention. */
export async function allSealed(
  client: Client,
  sectors: readonly string[],
  { signal, onStep, awaits }: { signal: AbortSignal; onStep: OnStep; awaits?: Awaits },
): Promise<Sealed[]> {
  const steps = new Map<string, string>();
  let sealed = 0;
  const reportProgress = (): void => {
    const [first] = steps;
    if (!first) return;
    const [sector, step] = first;
    onStep(
      sectors.length === 1 ? `${sector} ${step}` : `${sealed} of ${sectors.length} sealed; ${sector} ${step}`,
    );
  };
  return await Promise.all(
    sectors.map(async (sector) => {
      const describe = sectorStep(awaits);
      const end = await untilSealed(client, sector, signal, (status) => {
        steps.set(sector, describe(status));
        reportProgress();
      });
      sealed += 1;
      steps.delete(sector);
      reportProgress();
      return end;
    }),
  );
}

async function untilSealed(
  client: Client,
  sector: string,
  signal: AbortSignal,
  onStatus: (status: SectorStatus) => void,
): Promise<Sealed> {
  const handle = client.workflow.getHandle(workflowId(sectorOf(sector)));
  for (;;) {
    const status = await sectorStatus(client, sectorOf(sector));
    if (!status) throw new UserError(`the workflow of ${sector} is gone`, { exitCode: 1 });
    const [attention] = status.attention;
    if (attention) {
      const message = `${sector} ${attention.phase} needs attention: ${attention.type}: ${attention.message}`;
      throw new UserError(message, { exitCode: 1, hint: attention.hint });
    }
    if (status.workflow !== 'RUNNING') return { result: (await handle.result()) as SealResult, status };
    onStatus(status);
    await sleep(POLL_MS, undefined, { signal });
  }
}
