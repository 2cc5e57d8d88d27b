import { Command, Option } from 'commander';
import { retrySector } from '../../temporal/ask/retry-sector.js';
import type { Retry } from '../../messages.js';
import { PHASE_IDS } from '../../phases.js';
import type { SectorId } from '../../sector.js';
import { parseHex32, parseSectors, SECTORS } from '../arguments.js';
import { answerEach, askingClient } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

interface RetryOptions extends ServerOptions {
  from?: Retry['from'];
  ticket?: string;
  acceptCommr?: boolean;
  json?: boolean;
}

export const retryCommand = (): Command =>
  withServer(new Command('retry'))
    .description('resume sectors that need attention or wait between two attempts')
    .argument('<sectors...>', SECTORS, parseSectors)
    .addOption(new Option('--from <phase>', 'rerun this phase and all later ones').choices(PHASE_IDS.slice()))
    .option('--ticket <hex>', 'use a new ticket; P1 runs again', parseHex32)
    .option('--accept-commr', 'accept the new commR of a repeated P2')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], options: RetryOptions) => {
      const { from, ticket, acceptCommr, json, ...server } = options;
      const client = await askingClient(server);
      await answerEach(sectors, 'resumed', json, (sector) =>
        retrySector(client, sector, { from, ticket, acceptCommR: acceptCommr }),
      );
    });
