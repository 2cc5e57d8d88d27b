import { Command, InvalidArgumentError } from 'commander';
import type { SectorId } from '../../sector.js';
import { prioritizeSector } from '../../temporal/ask/prioritize-sector.js';
import { parseSectors, SECTORS } from '../arguments.js';
import { answerEach, askingClient } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

export const priorityCommand = (): Command =>
  withServer(new Command('priority'))
    .description(
      'move sectors before all that are not high, or back among them; what was begun goes before both',
    )
    .usage('[options] <sectors...> <high|normal>')
    .argument('<sectors...>', `${SECTORS}; then high or normal`)
    .option('--json', 'print JSON')
    .action(
      async (given: string[], { json, ...server }: ServerOptions & { json?: boolean }, command: Command) => {
        const { sectors, isHigh } = parsed(given, command);
        const client = await askingClient(server);
        await answerEach(sectors, 'moved', json, (sector) => prioritizeSector(client, sector, isHigh));
      },
    );

/** The last argument is the priority, as one says it: `priority t01000/7 high`. */
function parsed(given: readonly string[], command: Command) {
  const [priority, ...names] = [given.at(-1), ...given.slice(0, -1)];
  if (names.length === 0 || (priority !== 'high' && priority !== 'normal'))
    command.error('error: sectors come first, then high or normal');
  try {
    const sectors = names.reduce<SectorId[]>((before, text) => parseSectors(text, before), []);
    return { sectors, isHigh: priority === 'high' };
  } catch (error) {
    if (error instanceof InvalidArgumentError) command.error(`error: ${error.message}`);
    throw error;
  }
}
