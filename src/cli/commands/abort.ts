import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { workflowId } from '../../contract.js';
import { abortUpdate } from '../../messages.js';
import type { SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { parseSectors, shortList } from '../arguments.js';
import { clientFrom, printAnswer, tellWorkflow, withServer, type ServerOptions } from '../server.js';

interface AbortOptions extends ServerOptions {
  why?: string;
  yes?: boolean;
  wait: boolean;
  json?: boolean;
}

export const abortCommand = (): Command =>
  withServer(new Command('abort'))
    .description('give sectors up: end their engines and delete all their files')
    .argument('<sectors...>', 'like t01000/7 or t01000/1-500', parseSectors)
    .option('--why <text>', "told in the workflow and in the group's done/ directory")
    .option('--yes', 'do not ask')
    .option('--no-wait', 'do not wait until the files are deleted')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { why, yes, wait, json, ...server }: AbortOptions) => {
      if (!yes) await askFirst(sectors);
      const client = await clientFrom(server);
      for (const sector of sectors) {
        let answer = await tellWorkflow(client, sector, abortUpdate, { why });
        if (wait) answer = await endOf(client.workflow.getHandle(workflowId(sector)).result());
        printAnswer(sector, answer, json);
      }
    });

/** @throws UserError when nobody can be asked, or the answer is not yes. */
async function askFirst(sectors: SectorId[]): Promise<void> {
  if (!process.stdin.isTTY) throw new UserError('abort deletes all files of a sector', { hint: 'say --yes' });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`delete all files of ${shortList(sectors)}? [yes/no] `);
  lines.close();
  if (answer.trim() !== 'yes') throw new UserError('nothing was aborted', { exitCode: 1 });
}

async function endOf(result: Promise<unknown>): Promise<string> {
  try {
    await result;
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
    if (cause instanceof ApplicationFailure && cause.type === 'Aborted') return `aborted, ${cause.message}`;
    throw error;
  }
  return 'sealed'; // An update that was accepted ends in an abort: never seen.
}
