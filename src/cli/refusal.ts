/** What a command says of a sector that it could not act on. */
import { WorkflowFailedError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES, isFailureType } from '../failures.js';
import { sectorName, type SectorId } from '../sector.js';
import { NotReadyError } from '../temporal/ask/ready.js';
import { UserError } from '../user-error.js';

/** @returns undefined when the error says nothing about the sector: the server or the orchestrator is gone, for example */
export function toRefusal(error: unknown, sector: SectorId): UserError | undefined {
  if (error instanceof NotReadyError) return undefined;
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
