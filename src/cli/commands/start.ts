import { Command, Option } from 'commander';
import { readConfig } from '../../config.js';
import type { SealResult } from '../../contract.js';
import { SECTOR_SIZE_NAMES, type SectorSize } from '../../phases.js';
import { minerName, sectorName, type SectorId } from '../../sector.js';
import { requireChain, requireOrchestrator, requireSetUp } from '../../temporal/ask/ready.js';
import { randomHex32, refuseUnserved, startSector, ticketBefore } from '../../temporal/ask/start-sector.js';
import { WhoServes } from '../../temporal/ask/who-serves.js';
import { UserError } from '../../user-error.js';
import {
  parseCount,
  parseHex32,
  parseSectorCount,
  parseTargets,
  SECTORS,
  timeScaleOption,
  type Targets,
} from '../arguments.js';
import { refuseLeft, tryEach } from '../each-sector.js';
import type { Started } from '../json-forms.js';
import { print, printJson, printProblem } from '../process.js';
import { toRefusal } from '../refusal.js';
import { clientFrom, withServer, type ServerOptions } from '../server.js';
import { shownResult } from '../shown.js';
import { countedOf, startCount } from '../start-count.js';
import {
  lifeOfTicket,
  networkOption,
  parseTicket,
  refuseStaleTicket,
  type TicketOption,
} from '../ticket-option.js';

interface StartOptions extends ServerOptions {
  count?: number;
  group?: number;
  size?: SectorSize;
  ticket?: TicketOption;
  network?: string;
  seed?: string;
  test?: boolean;
  chain?: boolean;
  priority?: boolean;
  cleanAfter?: 'proof' | 'landed';
  wait?: boolean;
  force?: boolean;
  json?: boolean;
  timeScale?: number;
}

export const startCommand = (): Command =>
  withServer(new Command('start'))
    .description('start sealing sectors')
    .argument('<sectors...>', `${SECTORS}; with --count a miner, like t01000`, parseTargets)
    .option(
      '--count <n>',
      'start n sectors of a miner, under the lowest numbers that are free',
      parseSectorCount,
    )
    .option('--group <n>', 'group of hosts that seals them (default: that of --config)', parseCount)
    .addOption(
      new Option('--size <size>', 'sector size (default: that of --config, or 32GiB)').choices(
        SECTOR_SIZE_NAMES.slice(),
      ),
    )
    .option(
      '--ticket <hex[@epoch]>',
      'chain randomness for P1, and the epoch at which it was drawn; sectors of one miner may share it',
      parseTicket,
    )
    .addOption(networkOption())
    .option('--seed <hex>', 'chain randomness for P3; may be given later with `sealflow seed`', parseHex32)
    .option(
      '--chain',
      'take ticket, seed and landing from the chain that the orchestrators watch (default without --ticket)',
    )
    .option('--test', 'use a random ticket and seed; not for a real network')
    .option('--priority', 'run before sectors without it')
    .addOption(
      new Option(
        '--clean-after <what>',
        "when P6 may delete the scratch; a host's own [clean] after can only make it later",
      ).choices(['proof', 'landed']),
    )
    .option('--wait', 'wait until all are sealed')
    .option(
      '--force',
      'start even if no orchestrator runs, no worker serves a phase, or the ticket is too old',
    )
    .option('--json', 'print JSON')
    .addOption(timeScaleOption())
    .action(async (targets: Targets, options: StartOptions) => {
      const { ticket, seed, test, priority, cleanAfter, wait, force, json, timeScale } = options;
      const counted = countedOf(targets, options.count);
      const { sectors } = targets;
      refuseRandomness(sectors, options);
      const chain = options.chain ?? (!ticket && !test);
      const { group, size } = placeOf(options);
      const client = await clientFrom(options);
      await requireSetUp(client);
      if (!force) await requireOrchestrator(client);
      if (chain && !force) await requireChain(client);
      if (!force) await refuseUnserved(client, group, size);
      const whoServes = new WhoServes(client);
      const life = ticket && (await lifeOfTicket(ticket, options.network, whoServes));
      if (life && !force) await refuseStaleTicket(life, { group, size }, whoServes);
      const waited: { sector: SectorId; result: Promise<SealResult> }[] = [];
      const begin = async (sector: SectorId, freeAt?: number): Promise<void> => {
        const before = force || counted ? undefined : await ticketBefore(client, sectorName(sector));
        const input = {
          sector: sectorName(sector),
          size,
          group,
          ticket: ticket?.hex ?? (test ? randomHex32() : undefined),
          ticketEpoch: ticket?.epoch,
          ...(life && { ticketLife: life }),
          ...(chain && { chain }),
          seed: seed ?? (test ? randomHex32() : undefined),
          priority,
          cleanAfter,
          timeScale,
        };
        const handle = await startSector(client, input, counted !== undefined);
        if (wait) waited.push({ sector, result: handle.result() });
        else if (json)
          printJson({ sector: input.sector, workflowId: handle.workflowId, freeAt } satisfies Started);
        else print(`${input.sector} started (workflow ${handle.workflowId})${anew(before, ticket?.hex)}`);
      };
      const refused = counted ? [] : await tryEach(sectors, begin);
      if (counted) say(await startCount(client, counted, !test, begin), json);
      const failed = await untilSealed(waited, json);
      refuseLeft(refused, 'started');
      refuseLeft(failed, 'sealed');
    });

/** With `--json` beside the values, in words. */
const say = (text: string, json: boolean | undefined): void =>
  json ? void process.stderr.write(`sealflow: ${text}\n`) : print(text);

/** P1's layers are those of a ticket. */
const anew = (before: string | undefined, ticket: string | undefined): string =>
  before === undefined || before === ticket ? '' : '; its last run had another ticket: P1 begins anew';

/** Prints each sector as it ends. @returns those that failed */
async function untilSealed(
  waited: readonly { sector: SectorId; result: Promise<SealResult> }[],
  json: boolean | undefined,
): Promise<SectorId[]> {
  const failed: SectorId[] = [];
  const outcomes = await Promise.allSettled(
    waited.map(async ({ sector, result }) => {
      try {
        const sealed = await result;
        if (json) printJson(shownResult(sealed));
        else print(`${sectorName(sector)} sealed, on ${sealed.storage.node}`);
      } catch (error) {
        const refusal = toRefusal(error, sector);
        if (!refusal) throw error;
        printProblem(refusal);
        failed.push(sector);
      }
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return failed;
}

/** @throws UserError when there is none, or it cannot be that of all sectors */
function refuseRandomness(sectors: readonly SectorId[], { ticket, seed, test, chain }: StartOptions): void {
  if (test && chain) throw new UserError('--test takes random values: no chain knows them');
  const miners = [...new Set(sectors.map(minerName))];
  if (miners.length > 1 && (ticket || seed)) {
    throw new UserError(`one ticket or seed cannot be that of several miners: ${miners.join(', ')}`, {
      hint: 'start them miner by miner: the chain draws randomness for a miner and an epoch',
    });
  }
}

/** @throws UserError when the group is not known */
function placeOf({ group, size, config: file }: StartOptions): { group: number; size: SectorSize } {
  const config = file === undefined ? undefined : readConfig(file);
  const known = group ?? (config?.groups.length === 1 ? config.groups[0] : undefined);
  if (known === undefined) {
    throw new UserError('--group is missing', {
      hint: config
        ? `${file} has several: ${config.groups.join(', ')}`
        : 'or --config config.toml, whose group_id and sector_size are taken',
    });
  }
  return { group: known, size: size ?? config?.size ?? '32GiB' };
}
