import { Command, InvalidArgumentError } from 'commander';
import type { SectorId } from '../../sector.js';
import { prioritizeSector } from '../../temporal/ask/prioritize-sector.js';
import { parseSectors, SECTORS } from '../arguments.js';
import { answerEach, askingClient } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

const PRIORITIES = ['high', 'normal'];

/** The last argument is the priority, as one says it: `priority t01000/7 high`. */
function split(given: readonly string[]): { sectors: readonly string[]; isHigh: boolean } {
  const priority = given.at(-1) ?? '';
  if (!PRIORITIES.includes(priority) || given.length < 2)
    throw new InvalidArgumentError('Sectors come first, then high or normal.');
  return { sectors: given.slice(0, -1), isHigh: priority === 'high' };
}

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

function parsed(given: readonly string[], command: Command) {
  try {
    const { sectors, isHigh } = split(given);
    return { sectors: sectors.reduce<SectorId[]>((before, text) => parseSectors(text, before), []), isHigh };
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    command.error(`error: ${error.message}`);
  }
}
