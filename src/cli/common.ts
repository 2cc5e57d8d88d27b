/** What the commands share: options, the connection, ranges of sectors, signals, printing. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common';
import { readConfig } from '../config.js';
import { connectClient, targetOf, type Target } from '../connect.js';
import { workflowId } from '../contract.js';
import { minerName, parseSector, sectorName, type SectorId } from '../sector.js';
import { UserError } from '../user-error.js';

export interface ServerOptions {
  address?: string;
  config?: string;
}

/** Adds the options that say where Temporal is. */
export const withServer = (command: Command): Command =>
  command
    .addOption(
      new Option('--address <host:port>', 'Temporal frontend (else TEMPORAL_ADDRESS, profile, config)'),
    )
    .addOption(new Option('--config <file>', 'take scheduler_url from this config.toml'));

export function targetFrom({ address, config }: ServerOptions): Target {
  const target = targetOf(config === undefined ? undefined : readConfig(config).schedulerUrl);
  return address === undefined ? target : { ...target, address, options: { ...target.options, address } };
}

export const clientFrom = (options: ServerOptions): Promise<Client> => connectClient(targetFrom(options));

const MOST_SECTORS = 100_000;

/** Reads `t01000/7` or a range `t01000/1-500` as an argument. */
export function parseSectors(text: string, before: SectorId[] = []): SectorId[] {
  const [, first = '', last] = /^(.+?\/[0-9]+)(?:-([0-9]+))?$/.exec(text) ?? [];
  const sector = parseSector(first);
  if (!sector)
    throw new InvalidArgumentError('A sector is written like t01000/7, a range like t01000/1-500.');
  const to = last === undefined ? sector.number : Number(last);
  if (to < sector.number || to - sector.number >= MOST_SECTORS) {
    throw new InvalidArgumentError(`The range must go upwards and hold at most ${MOST_SECTORS} sectors.`);
  }
  const range = Array.from({ length: to - sector.number + 1 }, (_, i) => ({
    ...sector,
    number: sector.number + i,
  }));
  return [...before, ...range];
}

/** `t01000/1-500` for a run of sectors, for messages. */
export const shortList = (sectors: readonly SectorId[]): string => {
  const [first, last] = [sectors[0], sectors.at(-1)];
  if (!first || !last || first === last) return first ? sectorName(first) : 'none';
  return `${sectorName(first)} … ${minerName(last)}/${last.number} (${sectors.length} sectors)`;
};

export function parseHex32(text: string): string {
  const hex = text.toLowerCase().replace(/^0x/, '');
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new InvalidArgumentError('It must be 32 bytes as 64 hex digits.');
  return hex;
}

export function parseCount(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new InvalidArgumentError('It must be a whole number.');
  return number;
}

export function parsePositive(text: string): number {
  const number = parseCount(text);
  if (number === 0) throw new InvalidArgumentError('It must be a whole number above 0.');
  return number;
}

/** Hidden: for tests that cannot wait for the times of real sectors. */
export const timeScaleOption = (): Option =>
  new Option('--time-scale <factor>', 'scale all times (tests)').hideHelp().argParser((text) => {
    const scale = Number(text);
    if (!(scale > 0 && scale <= 1)) throw new InvalidArgumentError('It must be above 0 and at most 1.');
    return scale;
  });

/** Aborted by the first SIGINT or SIGTERM; later ones change nothing. */
export function untilSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

/** Runs `work`; that it was told to end is no failure of it. */
export async function unlessStopped(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}

export const print = (text: string): void => void process.stdout.write(`${text}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value));

/**
 * Tells a sector's workflow something.
 * @returns its answer. @throws UserError when it refuses, or there is none.
 */
export async function tellWorkflow<T>(
  client: Client,
  sector: SectorId,
  update: UpdateDefinition<string, [T]>,
  what: T,
): Promise<string> {
  try {
    return await client.workflow.getHandle(workflowId(sector)).executeUpdate(update, { args: [what] });
  } catch (error) {
    throw toldByWorkflow(error, sector);
  }
}

/** Tells sectors the same thing one after the other, and prints what each answers. @throws like {@link tellWorkflow} */
export async function tellSectors<T>(
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

/** What a workflow answers to an update that it refuses, or that it cannot get, as a UserError. */
export function toldByWorkflow(error: unknown, sector: SectorId): unknown {
  if (error instanceof WorkflowNotFoundError) {
    return new UserError(`no workflow is sealing ${sectorName(sector)}`, {
      exitCode: 1,
      hint: `sealflow status ${sectorName(sector)} shows what is known of it`,
    });
  }
  if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
    const cause = error.cause;
    const type = cause instanceof ApplicationFailure && cause.type ? `${cause.type}: ` : '';
    return new UserError(`${sectorName(sector)}: ${type}${cause?.message ?? error.message}`, { exitCode: 1 });
  }
  return error;
}
