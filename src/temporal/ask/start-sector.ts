/** Starting workflows: used by `start` and `dev`. */
import { randomBytes } from 'node:crypto';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import {
  CONTRACT_VERSION,
  parseSealInput,
  WORKFLOW_QUEUE,
  WORKFLOW_TYPE,
  workflowId,
  type SealInput,
} from '../../contract.js';
import { PHASE_IDS, PHASES, SECTOR_SIZE_NAMES, type PhaseId, type SectorSize } from '../../phases.js';
import { statusQuery } from '../../messages.js';
import { sectorName, sectorOf } from '../../sector.js';
import { UserError } from '../../user-error.js';
import type { sealSector } from '../../workflows/index.js';
import { WhoServes, type PhaseService } from './who-serves.js';

/** Randomness for tests, instead of the chain's. */
export const randomHex32 = (): string => randomBytes(32).toString('hex');

/** A workflow has the sector already. */
export class AlreadyStartedError extends UserError {}

/**
 * Starts the workflow of a sector.
 * @param isNew the sector may have had no workflow before, whatever became of it
 * @throws UserError (exit 2) for invalid input; AlreadyStartedError (exit 1) when the sector is being sealed or already sealed.
 */
export async function startSector(
  client: Client,
  given: Omit<SealInput, 'v'>,
  isNew = false,
): Promise<WorkflowHandle<typeof sealSector>> {
  const parsed = parseSealInput({ v: CONTRACT_VERSION, ...given });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UserError(`${given.sector}: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const input = parsed.data;
  const id = workflowId(sectorOf(input.sector));
  try {
    return await client.workflow.start<typeof sealSector>(WORKFLOW_TYPE, {
      workflowId: id,
      taskQueue: WORKFLOW_QUEUE,
      args: [input],
      // A failed or cancelled run may be followed by another; a run that has sealed the sector may not.
      workflowIdReusePolicy: isNew
        ? WorkflowIdReusePolicy.REJECT_DUPLICATE
        : WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
      staticSummary: `${input.sector} ${input.size} group ${input.group}`,
      staticDetails: `Seals sector ${input.sector} (${input.size}) in group ${input.group}, ${input.ticket === undefined ? 'with a ticket drawn from the chain' : `ticket \`${input.ticket}\``}.`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new AlreadyStartedError(`${input.sector} is being sealed or is already sealed (workflow ${id})`, {
      exitCode: 1,
      hint: `sealflow status ${sectorName(sectorOf(input.sector))}`,
    });
  }
}

/**
 * The ticket of a sector's last run, which has ended. What that has computed is of no use to a run with another one.
 * @returns undefined when there was none, or it does not tell
 */
export async function ticketBefore(client: Client, sector: string): Promise<string | undefined> {
  const handle = client.workflow.getHandle(workflowId(sectorOf(sector)));
  try {
    await handle.describe();
    return (await handle.query(statusQuery)).ticket;
  } catch {
    return undefined;
  }
}

/** The phases that no host of the group serves at the moment. */
export async function unservedPhases(client: Client, group: number, size: SectorSize): Promise<PhaseId[]> {
  const services = await servicesOf(new WhoServes(client), group, size);
  return PHASE_IDS.filter((_, i) => services[i]?.hosts.length === 0);
}

/** @throws UserError (exit 1) naming the phases that nobody serves, and why, and the sizes that the group does serve. */
export async function refuseUnserved(client: Client, group: number, size: SectorSize): Promise<void> {
  const whoServes = new WhoServes(client);
  const services = await servicesOf(whoServes, group, size);
  const unserved = PHASE_IDS.filter((_, i) => services[i]?.hosts.length === 0);
  if (unserved.length === 0) return;
  const names = unserved.map((phase) => `${phase} (${PHASES[phase].queueName})`).join(', ');
  const others = await sizesServed(whoServes, group);
  const but = others.length > 0 && !others.includes(size) ? `, but ${others.join(', ')} is served` : '';
  const reasons = [...new Set(services.filter(({ hosts }) => hosts.length === 0).flatMap(({ not }) => not))];
  const what = `nobody serves ${names} for ${size} sectors in group ${group}${but}`;
  throw new UserError([what, ...reasons].join('; '), {
    exitCode: 1,
    hint: 'start the workers of the group, check their logs, or use --force to let the sector wait for them',
  });
}

/** In the order of the phases. */
const servicesOf = (whoServes: WhoServes, group: number, size: SectorSize): Promise<PhaseService[]> =>
  Promise.all(PHASE_IDS.map((phase) => whoServes.phase(group, size, phase)));

async function sizesServed(whoServes: WhoServes, group: number): Promise<SectorSize[]> {
  const services = await Promise.all(SECTOR_SIZE_NAMES.map((size) => servicesOf(whoServes, group, size)));
  return SECTOR_SIZE_NAMES.filter((_, i) => services[i]?.some(({ hosts }) => hosts.length > 0));
}
