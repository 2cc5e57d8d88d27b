/** Waits for the end of a sector's workflow, and tells what that waits for: nobody serves it, hosts hand it back, … */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { workflowId } from '../contract.js';
import { sectorName, type SectorId } from '../sector.js';
import { sectorStatus } from '../temporal/ask/sector-status.js';
import { waitsOfWorkflow } from '../temporal/ask/server-view.js';
import { UserError } from '../user-error.js';

/** What a worker picks up has usually finished by then. */
const POLL_MS = 3_000;

/** @throws as the workflow's own result does */
export async function resultTold(client: Client, sector: SectorId): Promise<unknown> {
  const ended = new AbortController();
  void tellWait(client, sector, ended.signal).catch(() => undefined);
  const result: Promise<unknown> = client.workflow.getHandle(workflowId(sector)).result();
  return await result.finally(() => ended.abort());
}

/** @throws the signal's reason, or the server's error */
async function tellWait(client: Client, sector: SectorId, signal: AbortSignal): Promise<void> {
  for (let told: string | undefined; ;) {
    await sleep(POLL_MS, undefined, { signal });
    const why = await waitOf(client, sector);
    if (why === undefined || why === told || signal.aborted) continue;
    process.stderr.write(`sealflow: ${sectorName(sector)} waits: ${why}\n`);
    told = why;
  }
}

async function waitOf(client: Client, sector: SectorId): Promise<string | undefined> {
  try {
    const status = await sectorStatus(client, sector);
    return status && waitsOfWorkflow(status)[0];
  } catch (error) {
    // No orchestrator answers.
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
