/** Commands that act on several sectors: one that is refused does not keep the others from being done. */
import { WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import { FAILURES, isFailureType } from '../failures.js';
import { sectorName, type SectorId } from '../sector.js';
import { updateSector } from '../temporal/ask/update-sector.js';
import { UserError } from '../user-error.js';
import { shortList } from './arguments.js';
import { print, printJson, printProblem } from './process.js';
import { clientFrom, type ServerOptions } from './server.js';

interface EachOptions extends ServerOptions {
  json?: boolean | undefined;
}

/**
 * Does something with sectors one after the other, and prints the answer of each.
 * @param done what it is called when it was done, as in `not aborted: t01000/7`
 * @throws UserError (exit 1) when a sector was refused, after all others have had their turn; what is no refusal at once
 */
export async function eachSector(
  sectors: readonly SectorId[],
  done: string,
  { json, ...server }: EachOptions,
  act: (client: Client, sector: SectorId) => Promise<string>,
): Promise<void> {
  const client = await clientFrom(server);
  const refused: SectorId[] = [];
  for (const sector of sectors) {
    try {
      printAnswer(sector, await act(client, sector), json);
    } catch (error) {
      const refusal = toRefusal(error, sector);
      if (!refusal) throw error;
      if (sectors.length === 1) throw refusal;
      printProblem(refusal);
      refused.push(sector);
    }
  }
  if (refused.length > 0) throw new UserError(`not ${done}: ${shortList(refused)}`, { exitCode: 1 });
}

/** Sends the same update to sectors. @throws like {@link eachSector} */
export const updateEach = <T>(
  sectors: readonly SectorId[],
  done: string,
  options: EachOptions,
  update: UpdateDefinition<string, [T]>,
  what: T,
): Promise<void> =>
  eachSector(sectors, done, options, (client, sector) => updateSector(client, sector, update, what));

function printAnswer(sector: SectorId, answer: string, json: boolean | undefined): void {
  if (json) printJson({ sector: sectorName(sector), answer });
  else print(`${sectorName(sector)}: ${answer}`);
}

/** @returns undefined when the error says nothing about the sector: the server is gone, for example */
export function toRefusal(error: unknown, sector: SectorId): UserError | undefined {
  if (error instanceof UserError) return error;
  if (error instanceof WorkflowNotFoundError) {
    return new UserError(`no workflow is running for ${sectorName(sector)}`, {
      exitCode: 1,
      hint: `sealflow status ${sectorName(sector)} shows its last known state`,
    });
  }
  if (!(error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError)) return undefined;
  const { cause } = error;
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  const prefix = type ? `${type}: ` : '';
  return new UserError(`${sectorName(sector)}: ${prefix}${cause?.message ?? error.message}`, {
    exitCode: 1,
    ...(isFailureType(type) && { hint: FAILURES[type].hint }),
  });
}
