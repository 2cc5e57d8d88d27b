/** Whether a namespace can seal sectors: what `sealflow setup` makes is there, and an orchestrator runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { WORKFLOW_QUEUE } from '../../contract.js';
import { SEARCH_ATTRIBUTES } from '../../search-attributes.js';
import { UserError } from '../../user-error.js';
import { GRPC, hasCode } from '../embedded/grpc.js';
import { pollersOf, RECENT_MS, type Poller } from './pollers.js';
import { WhoServes } from './who-serves.js';

/** Holds for every sector: whoever works through many has no reason to go on. */
export class NotReadyError extends UserError {}

/**
 * Without its search attributes the first task of each sector's workflow fails, again and again.
 * @throws NotReadyError with what to type
 */
export async function requireSetUp({ workflowService, options: { namespace } }: Client): Promise<void> {
  // A count by all of them needs no more permission than any command does, unlike their list.
  const query = Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `${name} IS NOT NULL`)
    .join(' OR ');
  try {
    await workflowService.countWorkflowExecutions({ namespace, query });
  } catch (error) {
    if (!hasCode(error, GRPC.invalidArgument)) throw error;
    throw new NotReadyError(`namespace ${namespace} is not set up for sealflow: it lacks search attributes`, {
      hint: `sealflow setup adds them (the server says: ${error.details})`,
      cause: error,
    });
  }
}

/**
 * A server that has just started knows no pollers yet: it is asked for some seconds.
 * @throws NotReadyError (exit 1) when none has polled lately
 */
export async function requireOrchestrator(client: Client): Promise<void> {
  for (let looks = 1; ; looks++) {
    const last = await lastPoller(client);
    const age = last && Date.now() - last.lastAsked;
    if (age !== undefined && age < RECENT_MS) return;
    if (looks < LOOKS) {
      await sleep(LOOK_MS);
      continue;
    }
    const before = last && age !== undefined ? `; ${last.identity} did ${Math.round(age / 1000)} s ago` : '';
    throw new NotReadyError(`no orchestrator runs: nobody polls the queue ${WORKFLOW_QUEUE}${before}`, {
      exitCode: 1,
      hint: RUN_ONE,
    });
  }
}

async function lastPoller(client: Client): Promise<Poller | undefined> {
  const pollers = await pollersOf(client, WORKFLOW_QUEUE, 'workflow');
  return pollers.sort((a, b) => b.lastAsked - a.lastAsked)[0];
}

/** @throws NotReadyError (exit 2) when no orchestrator watches a chain */
export async function requireChain(client: Client): Promise<void> {
  if (await new WhoServes(client).chain()) return;
  throw new NotReadyError('--ticket is missing, and no orchestrator watches the chain to draw one', {
    hint: 'give --ticket HEX@EPOCH, or run sealflow orchestrator with [chain]; for tests, --test uses a random one',
  });
}

const LOOKS = 4;
const LOOK_MS = 1_000;
const RUN_ONE = 'run sealflow orchestrator; see its log if one should be there';

/**
 * Why a workflow has not answered in time: for whoever has waited in vain.
 * @throws NotReadyError when no workflow of the namespace could
 */
export async function whyUnanswered(client: Client): Promise<UserError> {
  await requireSetUp(client);
  await requireOrchestrator(client);
  return new UserError('no orchestrator answers', { exitCode: 1, hint: RUN_ONE });
}
