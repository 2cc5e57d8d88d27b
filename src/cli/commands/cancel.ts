import { Command } from 'commander';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { workflowId } from '../../contract.js';
import type { SectorId } from '../../sector.js';
import { parseSectors, SECTORS } from '../arguments.js';
import { answerEach } from '../each-sector.js';
import { resultTold } from '../result-told.js';
import { clientFrom, withServer, type ServerOptions } from '../server.js';

interface CancelOptions extends ServerOptions {
  wait: boolean;
  json?: boolean;
}

export const cancelCommand = (): Command =>
  withServer(new Command('cancel'))
    .description(
      'stop the engines and the workflows of sectors; all files are retained, and start resumes from them',
    )
    .argument('<sectors...>', SECTORS, parseSectors)
    .option('--no-wait', 'do not wait until the engines have ended')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { wait, json, ...server }: CancelOptions) => {
      // Needs no orchestrator: the server records it, and the next one finds it.
      const client = await clientFrom(server);
      await answerEach(sectors, 'cancelled', json, (sector) => cancel(client, sector, wait));
    });

async function cancel(client: Client, sector: SectorId, wait: boolean): Promise<string> {
  const handle = client.workflow.getHandle(workflowId(sector));
  await handle.cancel();
  if (!wait) return 'cancelling';
  try {
    await resultTold(client, sector);
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure)
      return 'cancelled, its files are retained';
    throw error;
  }
  return 'sealed'; // P6 finished before the cancellation arrived.
}
