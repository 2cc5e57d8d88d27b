import { Command, Option } from 'commander';
import { retrySector } from '../../temporal/ask/retry-sector.js';
import type { Retry } from '../../messages.js';
import { PHASE_IDS } from '../../phases.js';
import type { SectorId } from '../../sector.js';
import { parseSectors, SECTORS } from '../arguments.js';
import { answerEach, askingClient } from '../each-sector.js';
import { WhoServes } from '../../temporal/ask/who-serves.js';
import { withServer, type ServerOptions } from '../server.js';
import { lifeOfTicket, networkOption, parseTicket, type TicketOption } from '../ticket-option.js';

interface RetryOptions extends ServerOptions {
  from?: Retry['from'];
  ticket?: TicketOption;
  network?: string;
  drawTicket?: boolean;
  acceptCommr?: boolean;
  json?: boolean;
}

export const retryCommand = (): Command =>
  withServer(new Command('retry'))
    .description('resume sectors that need attention or wait between two attempts')
    .argument('<sectors...>', SECTORS, parseSectors)
    .addOption(new Option('--from <phase>', 'rerun this phase and all later ones').choices(PHASE_IDS.slice()))
    .option('--ticket <hex[@epoch]>', 'use a new ticket; P1 runs again', parseTicket)
    .addOption(networkOption())
    .addOption(
      new Option(
        '--draw-ticket',
        'draw a new ticket from the chain that the sector follows; P1 runs again',
      ).conflicts(['ticket', 'from']),
    )
    .option('--accept-commr', 'accept the new commR of a repeated P2')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], options: RetryOptions) => {
      const { from, ticket, network, drawTicket, acceptCommr, json, ...server } = options;
      const client = await askingClient(server);
      const life = ticket && (await lifeOfTicket(ticket, network, new WhoServes(client)));
      const given = {
        ...(ticket && { ticket: ticket.hex, ticketEpoch: ticket.epoch, ticketLife: life }),
        ...{ from, drawTicket, acceptCommR: acceptCommr },
      };
      await answerEach(sectors, 'resumed', json, (sector) => retrySector(client, sector, given));
    });
