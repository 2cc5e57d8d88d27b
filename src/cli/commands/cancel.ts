import { Command } from 'commander';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { workflowId } from '../../contract.js';
import type { SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { parseSectors, shortList } from '../arguments.js';
import { printProblem } from '../process.js';
import { clientFrom, printAnswer, toUserError, withServer, type ServerOptions } from '../server.js';

interface CancelOptions extends ServerOptions {
  wait: boolean;
  json?: boolean;
}

export const cancelCommand = (): Command =>
  withServer(new Command('cancel'))
    .description(
      'stop the engines and the workflows of sectors; all files are retained, and start resumes from them',
    )
    .argument('<sectors...>', 'like t01000/7 or t01000/1-500', parseSectors)
    .option('--no-wait', 'do not wait until the engines have ended')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { wait, json, ...server }: CancelOptions) => {
      const client = await clientFrom(server);
      const refused: SectorId[] = [];
      for (const sector of sectors) {
        try {
          printAnswer(sector, await cancel(client, sector, wait), json);
        } catch (error) {
          const problem = toUserError(error, sector);
          if (!(problem instanceof UserError)) throw error;
          if (sectors.length === 1) throw problem;
          // Cancel the rest of the range anyway.
          printProblem(problem);
          refused.push(sector);
        }
      }
      if (refused.length > 0) throw new UserError(`not cancelled: ${shortList(refused)}`, { exitCode: 1 });
    });

async function cancel(client: Client, sector: SectorId, wait: boolean): Promise<string> {
  const handle = client.workflow.getHandle(workflowId(sector));
  await handle.cancel();
  if (!wait) return 'cancelling';
  try {
    await handle.result();
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure)
      return 'cancelled, its files are retained';
    throw error;
  }
  return 'sealed'; // P6 finished before the cancellation arrived.
}
