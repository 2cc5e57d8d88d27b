import { Command } from 'commander';
import { sectorName, type SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { parseCount, parseSectors, SECTORS, timeScaleOption } from '../arguments.js';
import { refuseLeft, tryEach } from '../each-sector.js';
import { listSectors } from '../list-sectors.js';
import { print, printJson } from '../process.js';
import { clientFrom, withServer, type ServerOptions } from '../server.js';
import { describeStatus } from '../describe-status.js';
import { shownStatus } from '../shown.js';
import { WhoServes } from '../../temporal/ask/who-serves.js';
import { requireOrchestrator, requireSetUp } from '../../temporal/ask/ready.js';
import { sectorStatus } from '../../temporal/ask/sector-status.js';
import { statusOnDisk } from './status-on-disk.js';

interface StatusOptions extends ServerOptions {
  limit: number;
  json?: boolean;
  onDisk?: boolean;
  timeScale?: number;
}

export const statusCommand = (): Command =>
  withServer(new Command('status'))
    .description('list all sectors, or show some in detail')
    .argument('[sectors...]', SECTORS, parseSectors)
    .option(
      '--limit <n>',
      'list at most this many sectors; those that need attention come first',
      parseCount,
      100,
    )
    .option('--on-disk', 'list the sectors in local_dir of --config, and which of them no workflow claims')
    .option('--json', 'print JSON')
    .addOption(timeScaleOption())
    // An @file without lines is no list of all sectors.
    .action(
      async (
        sectors: SectorId[],
        { limit, json, onDisk, timeScale, ...server }: StatusOptions,
        command: Command,
      ) => {
        if (onDisk) {
          if (server.config === undefined) throw new UserError('--on-disk needs --config config.toml');
          await statusOnDisk(server.config, json ?? false, timeScale);
          return;
        }
        const client = await clientFrom(server);
        await requireSetUp(client);
        if (command.args.length === 0) {
          await listSectors(client, limit, json ?? false);
          return;
        }
        await requireOrchestrator(client);
        const whoServes = new WhoServes(client);
        const refused = await tryEach(sectors, async (sector) => {
          const status = await sectorStatus(client, sector, whoServes);
          if (!status) throw new UserError(`no workflow found for ${sectorName(sector)}`, { exitCode: 1 });
          if (json) printJson(shownStatus(status));
          else print(describeStatus(status));
        });
        refuseLeft(refused, 'shown');
      },
    );
