import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { hasEnded } from '../../machine/bound-process.js';
import { openConnection } from '../connect/client.js';
import { targetAt } from '../connect/target.js';
import { GRPC } from './grpc.js';
import { RETENTION_DAYS, setUpNamespace, type SearchAttributes } from './namespace.js';

/** Creating a new database takes 1 s on an idle machine. */
const DEADLINE_MS = 120_000;
const POLL_MS = 100;
const CONNECT_MS = 2_000;

export interface ServerReadiness {
  address: string;
  namespace: string;
  searchAttributes: SearchAttributes;
}

/**
 * Waits until the server accepts workflows: the frontend answers, history owns its shard, the namespace is set up.
 * @throws when the process exits, or the deadline passes
 */
export async function waitUntilReady(
  child: ChildProcess,
  { address, ...wanted }: ServerReadiness,
): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  let last: unknown;
  while (Date.now() < deadline) {
    if (hasEnded(child))
      throw new Error(`it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`);
    try {
      const connection = await openConnection(targetAt(address), CONNECT_MS);
      try {
        await connection.withDeadline(deadline, () => probe(connection, wanted));
      } finally {
        await connection.close();
      }
      return;
    } catch (error) {
      last = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`no answer within ${DEADLINE_MS / 1000} s`, { cause: last });
}

async function probe(
  connection: Connection,
  { namespace, searchAttributes }: Omit<ServerReadiness, 'address'>,
): Promise<void> {
  await setUpNamespace(connection, { namespace, retentionDays: RETENTION_DAYS, searchAttributes });
  // Describing a nonexistent workflow goes to the history service: "not found" means that it is up.
  const execution = { workflowId: 'sealflow-is-history-ready' };
  await connection.workflowService
    .describeWorkflowExecution({ namespace, execution })
    .catch((error: unknown) => {
      if (!isGrpcServiceError(error) || (error.code as number) !== GRPC.notFound) throw error;
    });
}

/** The content of a log from `offset` (bytes) on. */
export async function readFrom(file: string, offset: number): Promise<string> {
  return (await readFile(file)).subarray(offset).toString('utf8');
}
