import { Argument, Command } from 'commander';
import type { SectorId } from '../../sector.js';
import { prioritizeSector } from '../../temporal/ask/prioritize-sector.js';
import { parseSectors } from '../arguments.js';
import { eachSector } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

export const priorityCommand = (): Command =>
  withServer(new Command('priority'))
    .description(
      'move sectors before all that are not high, or back among them; what was begun goes before both',
    )
    .argument('<sectors>', 'like t01000/7 or t01000/1-500', (text) => parseSectors(text))
    .addArgument(new Argument('<priority>').choices(['high', 'normal']))
    .option('--json', 'print JSON')
    .action((sectors: SectorId[], priority: 'high' | 'normal', options: ServerOptions & { json?: boolean }) =>
      eachSector(sectors, 'moved', options, (client, sector) =>
        prioritizeSector(client, sector, priority === 'high'),
      ),
    );
