import { Command, Option } from 'commander';
import { retrySector } from '../../temporal/ask/retry-sector.js';
import type { Retry } from '../../messages.js';
import { PHASE_IDS } from '../../phases.js';
import type { SectorId } from '../../sector.js';
import { parseHex32, parseSectors } from '../arguments.js';
import { clientFrom, printAnswer, toUserError, withServer, type ServerOptions } from '../server.js';

interface RetryOptions extends ServerOptions {
  from?: Retry['from'];
  ticket?: string;
  acceptCommr?: boolean;
  json?: boolean;
}

export const retryCommand = (): Command =>
  withServer(new Command('retry'))
    .description('resume sectors that need attention or wait between two attempts')
    .argument('<sectors...>', 'like t01000/7 or t01000/1-500', parseSectors)
    .addOption(new Option('--from <phase>', 'rerun this phase and all later ones').choices(PHASE_IDS.slice()))
    .option('--ticket <hex>', 'use a new ticket; P1 runs again', parseHex32)
    .option('--accept-commr', 'accept the new commR of a repeated P2')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { from, ticket, acceptCommr, json, ...server }: RetryOptions) => {
      const client = await clientFrom(server);
      for (const sector of sectors) {
        const answer = retrySector(client, sector, { from, ticket, acceptCommR: acceptCommr });
        printAnswer(
          sector,
          await answer.catch((error: unknown) => {
            throw toUserError(error, sector);
          }),
          json,
        );
      }
    });
