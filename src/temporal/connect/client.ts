/** Connects commands to Temporal. */
import { Client, Connection } from '@temporalio/client';
import { GRPC, hasCode } from '../embedded/grpc.js';
import { UserError } from '../../user-error.js';
import { ANSWER_MS, clientOptions, type Target } from './target.js';
import { whyNoAnswer } from './why-no-answer.js';

/** For whoever knows what answers there. @throws the SDK's own errors */
export const openConnection = (target: Target, timeoutMs: number): Promise<Connection> =>
  Connection.connect({ ...clientOptions(target), connectTimeout: timeoutMs });

/**
 * Connects, and makes sure that it is Temporal that answers: the SDK takes any HTTP/2 server for it.
 * @throws UserError with the cause when it does not
 */
export async function connectServer(target: Target): Promise<Client> {
  let connection: Connection | undefined;
  try {
    connection = await openConnection(target, ANSWER_MS);
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + ANSWER_MS, () => workflowService.getSystemInfo({}));
    return new Client({ connection, namespace: target.namespace });
  } catch (error) {
    await connection?.close();
    throw await whyNoAnswer(target, error);
  }
}

/** The same, for a namespace that is there already. @throws UserError with the cause when it is not */
export async function connectClient(target: Target): Promise<Client> {
  const client = await connectServer(target);
  const { address, namespace } = target;
  try {
    await client.connection.withDeadline(Date.now() + ANSWER_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return client;
  } catch (error) {
    await client.connection.close();
    if (!hasCode(error, GRPC.notFound, GRPC.invalidArgument)) throw await whyNoAnswer(target, error);
    throw new UserError(`${address} has no namespace ${namespace}`, {
      hint: 'sealflow setup makes it; or correct TEMPORAL_NAMESPACE (or the profile)',
      cause: error,
    });
  }
}
