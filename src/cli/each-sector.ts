/** Commands that act on several sectors: one that is refused does not keep the others from being done. */
import type { Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { sectorName, type SectorId } from '../sector.js';
import { requireOrchestrator } from '../temporal/ask/ready.js';
import { updateSector } from '../temporal/ask/update-sector.js';
import { UserError } from '../user-error.js';
import { rangesOf } from './arguments.js';
import type { Answer } from './json-forms.js';
import { print, printJson, printProblem } from './process.js';
import { toRefusal } from './refusal.js';
import { clientFrom, type ServerOptions } from './server.js';

/**
 * Does something with sectors one after the other, and prints each refusal.
 * @returns the sectors that were refused
 * @throws the refusal of a single sector; what is no refusal, at once, after it has printed what was not tried
 */
export async function tryEach(
  sectors: readonly SectorId[],
  act: (sector: SectorId) => Promise<void>,
): Promise<SectorId[]> {
  const refused: SectorId[] = [];
  for (const [i, sector] of sectors.entries()) {
    try {
      await act(sector);
    } catch (error) {
      const refusal = toRefusal(error, sector);
      if (!refusal && sectors.length > 1)
        printProblem(new UserError(`stopped at ${rangesOf(sectors.slice(i))}`));
      if (!refusal) throw error;
      if (sectors.length === 1) throw refusal;
      printProblem(refusal);
      refused.push(sector);
    }
  }
  return refused;
}

/**
 * @param done what it is called when it was done, as in `not aborted: t01000/7`
 * @throws UserError (exit 1) when sectors were refused
 */
export function refuseLeft(refused: readonly SectorId[], done: string): void {
  if (refused.length > 0) throw new UserError(`not ${done}: ${rangesOf(refused)}`, { exitCode: 1 });
}

/**
 * Does something with sectors that answer, and prints their answers.
 * @throws UserError (exit 1) when a sector was refused, after all others have had their turn
 */
export async function answerEach(
  sectors: readonly SectorId[],
  done: string,
  json: boolean | undefined,
  act: (sector: SectorId) => Promise<string>,
): Promise<void> {
  const refused = await tryEach(sectors, async (sector) => {
    const answer = await act(sector);
    if (json) printJson({ sector: sectorName(sector), answer } satisfies Answer);
    else print(`${sectorName(sector)}: ${answer}`);
  });
  refuseLeft(refused, done);
}

interface UpdateOptions extends ServerOptions {
  json?: boolean | undefined;
}

/** Sends the same update to sectors. @throws like {@link answerEach} */
export async function updateEach<T>(
  sectors: readonly SectorId[],
  done: string,
  { json, ...server }: UpdateOptions,
  update: UpdateDefinition<string, [T]>,
  what: T,
): Promise<void> {
  const client = await askingClient(server);
  await answerEach(sectors, done, json, (sector) => updateSector(client, sector, update, what));
}

/** For what only an orchestrator can answer. It is looked for first, as an update would wait for one. */
export async function askingClient(server: ServerOptions): Promise<Client> {
  const client = await clientFrom(server);
  await requireOrchestrator(client);
  return client;
}
