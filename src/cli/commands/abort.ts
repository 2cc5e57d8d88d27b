import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { sectorStatus, waitsOfWorkflow } from '../../temporal/ask/sector-status.js';
import { updateSector } from '../../temporal/ask/update-sector.js';
import { workflowId } from '../../contract.js';
import { abortUpdate } from '../../messages.js';
import { sectorName, type SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { parseSectors, shortList } from '../arguments.js';
import { eachSector } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

/** An abort that a worker picks up has usually finished by then. */
const POLL_MS = 3_000;

interface AbortOptions extends ServerOptions {
  why?: string;
  yes?: boolean;
  wait: boolean;
  json?: boolean;
}

export const abortCommand = (): Command =>
  withServer(new Command('abort'))
    .description('give up sectors: stop their engines and delete all their files')
    .argument('<sectors...>', 'like t01000/7 or t01000/1-500', parseSectors)
    .option('--why <text>', "reason, recorded in the workflow and in the group's done/ directory")
    .option('--yes', 'do not ask for confirmation')
    .option('--no-wait', 'do not wait until the files are deleted')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { why, yes, wait, ...options }: AbortOptions) => {
      if (!yes) await confirm(sectors);
      await eachSector(sectors, 'aborted', options, (client, sector) => abort(client, sector, why, wait));
    });

async function abort(
  client: Client,
  sector: SectorId,
  why: string | undefined,
  wait: boolean,
): Promise<string> {
  const answer = await updateSector(client, sector, abortUpdate, { why });
  if (!wait) return answer;
  const ended = new AbortController();
  void reportWait(client, sector, ended.signal).catch(() => undefined);
  const result = client.workflow.getHandle(workflowId(sector)).result();
  return await outcomeOf(result).finally(() => ended.abort());
}

/** @throws UserError when stdin is no terminal, or the answer is not yes. */
async function confirm(sectors: SectorId[]): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UserError('abort deletes all files of a sector', { hint: 'confirm with --yes' });
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`delete all files of ${shortList(sectors)}? [yes/no] `);
  lines.close();
  if (answer.trim() !== 'yes') throw new UserError('nothing was aborted', { exitCode: 1 });
}

/**
 * Prints what the abort is waiting for, once, and again when that changes: nobody serves it, a mount is missing, …
 * @throws the signal's reason, or the server's error
 */
async function reportWait(client: Client, sector: SectorId, signal: AbortSignal): Promise<void> {
  for (let told: string | undefined; ;) {
    await sleep(POLL_MS, undefined, { signal });
    const status = await sectorStatus(client, sector);
    const why = status && waitsOfWorkflow(status)[0];
    if (why === undefined || why === told || signal.aborted) continue;
    process.stderr.write(`sealflow: ${sectorName(sector)} waits: ${why}\n`);
    told = why;
  }
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
