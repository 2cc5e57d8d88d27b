/** Shared by commands that talk to Temporal: options, the connection, updates of workflows. */
import { Option, type Command } from 'commander';
import {
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import { updateSector } from '../temporal/ask/update-sector.js';
import { readConfig } from '../config.js';
import { sectorName, type SectorId } from '../sector.js';
import { connectClient } from '../temporal/connect/client.js';
import { targetOf, type Target } from '../temporal/connect/target.js';
import { UserError } from '../user-error.js';
import { print, printJson } from './process.js';

export interface ServerOptions {
  address?: string;
  config?: string;
}

/** Adds the options that locate the Temporal server. */
export const withServer = (command: Command): Command =>
  command
    .addOption(
      new Option('--address <host:port>', 'Temporal frontend (default: TEMPORAL_ADDRESS, profile, config)'),
    )
    .addOption(new Option('--config <file>', 'take scheduler_url from this config.toml'));

export function targetFrom({ address, config }: ServerOptions): Target {
  const target = targetOf(config === undefined ? undefined : readConfig(config).schedulerUrl);
  return address === undefined ? target : { ...target, address, options: { ...target.options, address } };
}

export const clientFrom = (options: ServerOptions): Promise<Client> => connectClient(targetFrom(options));

/**
 * Sends an update to a sector's workflow.
 * @returns its answer. @throws UserError when the workflow rejects the update, or none is running.
 */
export async function tellWorkflow<T>(
  client: Client,
  sector: SectorId,
  update: UpdateDefinition<string, [T]>,
  what: T,
): Promise<string> {
  try {
    return await updateSector(client, sector, update, what);
  } catch (error) {
    throw toUserError(error, sector);
  }
}

/** Sends the same update to sectors one by one, and prints each answer. @throws like {@link tellWorkflow} */
export async function printSectors<T>(
  sectors: readonly SectorId[],
  update: UpdateDefinition<string, [T]>,
  what: T,
  { json, ...server }: ServerOptions & { json?: boolean | undefined },
): Promise<void> {
  const client = await clientFrom(server);
  for (const sector of sectors) printAnswer(sector, await tellWorkflow(client, sector, update, what), json);
}

export function printAnswer(sector: SectorId, answer: string, json: boolean | undefined): void {
  if (json) printJson({ sector: sectorName(sector), answer });
  else print(`${sectorName(sector)}: ${answer}`);
}

/**
 * Converts the error of a rejected update or a missing workflow to a UserError.
 * @returns any other error unchanged
 */
export function toUserError(error: unknown, sector: SectorId): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new UserError(`no workflow is running for ${sectorName(sector)}`, {
      exitCode: 1,
      hint: `sealflow status ${sectorName(sector)} shows its last known state`,
    });
  }
  if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
    const cause = error.cause;
    const type = cause instanceof ApplicationFailure && cause.type ? `${cause.type}: ` : '';
    return new UserError(`${sectorName(sector)}: ${type}${cause?.message ?? error.message}`, { exitCode: 1 });
  }
  return error;
}
