import { Command, Option } from 'commander';
import { SECTOR_SIZE_NAMES, type SectorSize } from '../../phases.js';
import { sectorName, type SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { parseCount, parseHex32, parseSectors, shortList, timeScaleOption } from '../arguments.js';
import { print, printJson } from '../process.js';
import { toRefusal } from '../each-sector.js';
import { clientFrom, withServer, type ServerOptions } from '../server.js';
import { randomHex32, refuseUnserved, startSector } from '../../temporal/ask/start-sector.js';

interface StartOptions extends ServerOptions {
  group: number;
  size: SectorSize;
  ticket?: { hex: string; epoch?: number };
  seed?: string;
  test?: boolean;
  priority?: boolean;
  cleanAfter?: 'proof' | 'landed';
  wait?: boolean;
  force?: boolean;
  json?: boolean;
  timeScale?: number;
}

/** `HEX` or `HEX@EPOCH`. */
function parseTicket(text: string): StartOptions['ticket'] {
  const [hex = '', epoch] = text.split('@');
  return { hex: parseHex32(hex), epoch: epoch === undefined ? undefined : parseCount(epoch) };
}

export const startCommand = (): Command =>
  withServer(new Command('start'))
    .description('start sealing sectors')
    .argument('<sectors...>', 'like t01000/7 or t01000/1-500', parseSectors)
    .requiredOption('--group <n>', 'group of hosts that seals them', parseCount)
    .addOption(new Option('--size <size>', 'sector size').choices(SECTOR_SIZE_NAMES.slice()).default('32GiB'))
    .option(
      '--ticket <hex[@epoch]>',
      'chain randomness for P1, and the epoch at which it was drawn',
      parseTicket,
    )
    .option('--seed <hex>', 'chain randomness for P3; may be given later with `sealflow seed`', parseHex32)
    .option('--test', 'use a random ticket and seed; not for a real network')
    .option('--priority', 'run before sectors without it')
    .addOption(
      new Option(
        '--clean-after <what>',
        "when P6 may delete the scratch; a host's own [clean] after can only make it later",
      ).choices(['proof', 'landed']),
    )
    .option('--wait', 'wait until all are sealed')
    .option('--force', 'start even if no worker serves a phase')
    .option('--json', 'print JSON')
    .addOption(timeScaleOption())
    .action(async (sectors: SectorId[], options: StartOptions) => {
      const { group, size, ticket, seed, test, priority, cleanAfter, wait, force, json, timeScale } = options;
      if (!ticket && !test) {
        throw new UserError('--ticket is missing', { hint: 'for tests, --test uses a random one' });
      }
      if (sectors.length > 1 && (ticket || seed)) {
        throw new UserError(`one ticket or seed cannot be used for ${shortList(sectors)}`, {
          hint: 'start them one by one: each sector has its own randomness',
        });
      }
      const client = await clientFrom(options);
      if (!force) await refuseUnserved(client, group, size);
      const handles = [];
      for (const sector of sectors) {
        const handle = await startSector(client, {
          sector: sectorName(sector),
          size,
          group,
          ticket: ticket?.hex ?? randomHex32(),
          ticketEpoch: ticket?.epoch,
          seed: seed ?? (test ? randomHex32() : undefined),
          priority,
          cleanAfter,
          timeScale,
        });
        handles.push({ sector, handle });
        if (!wait) {
          if (json) printJson({ sector: sectorName(sector), workflowId: handle.workflowId });
          else print(`${sectorName(sector)} started (workflow ${handle.workflowId})`);
        }
      }
      if (!wait) return;
      // Wait for all, even if one fails.
      const outcomes = await Promise.allSettled(
        handles.map(async ({ sector, handle }) => {
          const result = await handle.result().catch((error: unknown) => {
            throw toRefusal(error, sector) ?? error;
          });
          if (json) printJson(result);
          else print(`${sectorName(sector)} sealed, on ${result.storage.node}`);
        }),
      );
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    });
