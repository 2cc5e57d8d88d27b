import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { updateSector } from '../../temporal/ask/update-sector.js';
import { abortUpdate } from '../../messages.js';
import type { SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { parseSectors, rangesOf, SECTORS } from '../arguments.js';
import { answerEach, askingClient } from '../each-sector.js';
import { resultTold } from '../result-told.js';
import { withServer, type ServerOptions } from '../server.js';

interface AbortOptions extends ServerOptions {
  why?: string;
  yes?: boolean;
  wait: boolean;
  json?: boolean;
}

export const abortCommand = (): Command =>
  withServer(new Command('abort'))
    .description('give up sectors: stop their engines and delete all their files')
    .argument('<sectors...>', SECTORS, parseSectors)
    .option('--why <text>', "reason, recorded in the workflow and in the group's done/ directory")
    .option('--yes', 'do not ask for confirmation')
    .option('--no-wait', 'do not wait until the files are deleted')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { why, yes, wait, json, ...server }: AbortOptions) => {
      if (!yes) await confirm(sectors);
      const client = await askingClient(server);
      await answerEach(sectors, 'aborted', json, (sector) => abort(client, sector, why, wait));
    });

async function abort(
  client: Client,
  sector: SectorId,
  why: string | undefined,
  wait: boolean,
): Promise<string> {
  const answer = await updateSector(client, sector, abortUpdate, { why });
  if (!wait) return answer;
  return await outcomeOf(resultTold(client, sector));
}

/** @throws UserError when stdin is no terminal, or the answer is not yes. */
async function confirm(sectors: SectorId[]): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UserError('abort deletes all files of a sector', { hint: 'confirm with --yes' });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`delete all files of ${rangesOf(sectors)}? [yes/no] `);
  lines.close();
  if (answer.trim() !== 'yes') throw new UserError('nothing was aborted', { exitCode: 1 });
}

async function outcomeOf(result: Promise<unknown>): Promise<string> {
  try {
    await result;
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
    if (cause instanceof ApplicationFailure && cause.type === 'Aborted') return `aborted, ${cause.message}`;
    throw error;
  }
  return 'sealed'; // Unreachable: an accepted update ends in an abort.
}
