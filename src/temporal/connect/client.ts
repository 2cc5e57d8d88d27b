/** Connects commands to Temporal. */
import { Client, Connection } from '@temporalio/client';
import { GRPC, hasCode } from '../embedded/grpc.js';
import { UserError } from '../../user-error.js';
import { whatListens } from './listener.js';
import { ANSWER_MS, clientOptions, type Target } from './target.js';
import { whyNoAnswer } from './why-no-answer.js';

/** For whoever knows what answers there. @throws the SDK's own errors */
export const openConnection = (target: Target, timeoutMs: number): Promise<Connection> =>
  Connection.connect({ ...clientOptions(target), connectTimeout: timeoutMs });

/** For a server that is there, but busy: an idle one answers in milliseconds, and what is wrong should be told soon. */
const BUSY_MS = 15_000;

/**
 * Connects, and makes sure that it is Temporal that answers: the SDK takes any HTTP/2 server for it.
 * @throws UserError with the cause when it does not
 */
export async function connectServer(target: Target): Promise<Client> {
  try {
    return await connectWithin(target, ANSWER_MS);
  } catch (error) {
    if (target.proxy || (await whatListens(target)).kind !== 'http2') throw await whyNoAnswer(target, error);
  }
  try {
    return await connectWithin(target, BUSY_MS);
  } catch (error) {
    throw await whyNoAnswer(target, error);
  }
}

async function connectWithin(target: Target, ms: number): Promise<Client> {
  const connection = await openConnection(target, ms);
  try {
    const { workflowService } = connection;
    await connection.withDeadline(Date.now() + ms, () => workflowService.getSystemInfo({}));
  } catch (error) {
    await connection.close();
    throw error;
  }
  return new Client({ connection, namespace: target.namespace });
}

/** The same, for a namespace that is there already. @throws UserError with the cause when it is not */
export async function connectClient(target: Target): Promise<Client> {
  const client = await connectServer(target);
  const { address, namespace } = target;
  try {
    await client.connection.withDeadline(Date.now() + BUSY_MS, () =>
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
