/**
 * What was begun and whose deadline is near goes before what was begun and has time: in the queues where it waits already, since it
 * had time when it came there. Temporal has five priorities and no deadlines: within one it serves what came first, which among sectors
 * that were begun is nearly what ends first. So only those that have waited too long are moved.
 */
import type { Client } from '@temporalio/client';
import { BEGUN, sectorOfWorkflow, WORKFLOW_TYPE } from '../../contract.js';
import { PHASE_IDS } from '../../phases.js';
import { sectorName } from '../../sector.js';
import { moveWaiting } from './prioritize-sector.js';

const HOUR_MS = 3_600_000;
/** Before the ticket ends: P2 takes an hour or two without a GPU, and the pre-commit must be sent. */
const TICKET_NEAR_MS = 6 * HOUR_MS;
/** Of the thirty days that the chain waits for a proof. */
const PROOF_NEAR_MS = 72 * HOUR_MS;

/**
 * Moves the waiting tasks of sectors that were begun and whose deadline is near to the front of their queues. One that is missed is in
 * no hurry any more.
 * @returns what was moved: `t01000/7 P2`
 */
export async function hurryThose(client: Client, now = Date.now()): Promise<string[]> {
  const iso = (ms: number): string => new Date(ms).toISOString();
  const before = (phases: string, ms: number): string =>
    `(SealPhase ${phases} AND SealDeadline < '${iso(now + ms)}')`;
  const later = PHASE_IDS.slice(2).map((phase) => `'${phase}'`);
  const query = [
    `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = 'Running' AND SealDeadline > '${iso(now)}'`,
    `(${before("= 'P2'", TICKET_NEAR_MS)} OR ${before(`IN (${later.join(', ')}, 'P4+P5')`, PROOF_NEAR_MS)})`,
  ].join(' AND ');
  const moved: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) {
    const sector = sectorOfWorkflow(workflowId);
    if (!sector) continue;
    // It may end meanwhile: then there is nothing to move.
    const phases = await moveWaiting(client, sector, BEGUN).catch(() => []);
    moved.push(...phases.map((phase) => `${sectorName(sector)} ${phase}`));
  }
  return moved;
}
