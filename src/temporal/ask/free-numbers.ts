/** Sector numbers that are free: no workflow that the server knows has one of them, and the chain has not allocated it. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ActivityFailure, TimeoutFailure } from '@temporalio/common';
import { lowestFree } from '../../chain/numbers.js';
import {
  CHAIN_QUEUE,
  CONTRACT_VERSION,
  NUMBERS_WORKFLOW_TYPE,
  WORKFLOW_QUEUE,
  WORKFLOW_TYPE,
  workflowId,
  sectorOfWorkflow,
} from '../../contract.js';
import type { FreeNumbers, NumberRange } from '../../contract-chain.js';
import { UserError } from '../../user-error.js';
import type { freeNumbers } from '../../workflows/index.js';

export interface Wanted {
  /** Actor ID, in decimal. */
  miner: string;
  /** The lowest number that will do. */
  from: number;
  count: number;
}

export interface Found {
  /** The lowest; none only where there are no more. A number may be taken meanwhile: its start decides. */
  numbers: number[];
  /** Epoch at which they were free on chain; undefined if it was not asked. */
  epoch?: number;
}

/** Longer than the workflow's own limits, for an orchestrator that is just being replaced. */
const TIMEOUT = '2m';

/** @throws UserError (exit 1) when the chain does not answer */
export async function findFreeNumbers(client: Client, wanted: Wanted, asksChain: boolean): Promise<Found> {
  const used = await usedNumbers(client, wanted);
  // However they lie: of so many that are free on chain, as many as are wanted are free here too.
  const more = { ...wanted, count: wanted.count + used.size };
  if (!asksChain) return { numbers: lowest(lowestFree([], more), used, wanted.count) };
  const { free, epoch } = await askChain(client, more);
  return { numbers: lowest(free, used, wanted.count), epoch };
}

/** Of all workflows that the server still knows, whatever became of them. */
async function usedNumbers(client: Client, { miner, from }: Wanted): Promise<Set<number>> {
  const prefix = workflowId({ miner, number: 0 }).replace(/0$/, '');
  const query = `WorkflowType = '${WORKFLOW_TYPE}' AND WorkflowId STARTS_WITH '${prefix}'`;
  const used = new Set<number>();
  for await (const info of client.workflow.list({ query, pageSize: 1000 })) {
    const number = sectorOfWorkflow(info.workflowId)?.number;
    if (number !== undefined && number >= from) used.add(number);
  }
  return used;
}

function lowest(ranges: readonly NumberRange[], used: ReadonlySet<number>, count: number): number[] {
  const numbers: number[] = [];
  for (const range of ranges)
    for (let i = 0; i < range.count && numbers.length < count; i++)
      if (!used.has(range.first + i)) numbers.push(range.first + i);
  return numbers;
}

async function askChain(client: Client, { miner, from, count }: Wanted): Promise<FreeNumbers> {
  try {
    return await client.workflow.execute<typeof freeNumbers>(NUMBERS_WORKFLOW_TYPE, {
      workflowId: `free-numbers-t0${miner}-${randomUUID()}`,
      taskQueue: WORKFLOW_QUEUE,
      args: [{ v: CONTRACT_VERSION, miner: `t0${miner}`, from, count }],
      workflowExecutionTimeout: TIMEOUT,
      staticSummary: `${count} free sector numbers of t0${miner}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new UserError(`t0${miner}: which numbers are free on chain is not known: ${causeOf(error)}`, {
      exitCode: 1,
      hint: 'mend it, or name the sectors yourself: sealflow start t01000/1-20',
      cause: error,
    });
  }
}

function causeOf({ cause }: WorkflowFailedError): string {
  if (!(cause instanceof ActivityFailure)) return 'no orchestrator of this version answers';
  const why = cause.cause;
  if (!(why instanceof TimeoutFailure)) return why?.message ?? cause.message;
  return why.timeoutType === 'SCHEDULE_TO_START'
    ? `no orchestrator takes tasks of ${CHAIN_QUEUE}`
    : 'the orchestrator that watches it does not answer';
}
