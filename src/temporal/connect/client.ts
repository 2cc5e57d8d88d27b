/** Connects commands to Temporal. */
import { Client, Connection } from '@temporalio/client';
import { ANSWER_MS, noServer, type Target } from './target.js';

/** @throws UserError when no Temporal server answers. */
export async function connectClient(target: Target): Promise<Client> {
  try {
    const connection = await Connection.connect({ ...target.options, connectTimeout: ANSWER_MS });
    return new Client({ connection, namespace: target.namespace });
  } catch (error) {
    throw await noServer(target, error);
  }
}
