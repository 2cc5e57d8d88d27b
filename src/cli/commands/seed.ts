import { Command, InvalidArgumentError } from 'commander';
import { provideSeedUpdate } from '../../messages.js';
import { sectorName, type SectorId } from '../../sector.js';
import { updateSector } from '../../temporal/ask/update-sector.js';
import { UserError } from '../../user-error.js';
import { linesOf, parseHex32, parseOneSector } from '../arguments.js';
import { answerEach, askingClient } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

interface SeedOptions extends ServerOptions {
  replace?: boolean;
  json?: boolean;
}

export const seedCommand = (): Command =>
  withServer(new Command('seed'))
    .description('give sectors the seeds that P3 waits for')
    .argument('<sector>', 'one, like t01000/7; or @file with a sector and its seed per line', parseTarget)
    .argument('[hex]', '32 bytes as 64 hex digits', parseHex32)
    .option('--replace', 'replace the current seed; P3 and P4 run again')
    .option('--json', 'print JSON')
    .action(async (target: Target, hex: string | undefined, options: SeedOptions) => {
      const { replace, json, ...server } = options;
      const seeds = seedsOf(target, hex);
      const client = await askingClient(server);
      await answerEach([...seeds.keys()], 'given', json, (sector) =>
        updateSector(client, sector, provideSeedUpdate, { seed: seeds.get(sector) ?? '', replace }),
      );
    });

/** One sector, or the seeds of a file. */
type Target = { sector: SectorId } | { seeds: Map<SectorId, string> };

function parseTarget(text: string): Target {
  if (text.startsWith('@')) return { seeds: readSeeds(text) };
  if (/^[tf].*\/[0-9]+-[0-9]+$/.test(text)) {
    throw new InvalidArgumentError(
      'Each sector has a seed of its own, from the epoch of its pre-commit: give one sector, or @file with lines like "t01000/7 HEX".',
    );
  }
  return { sector: parseOneSector(text) };
}

/** Nothing is sent if one line is wrong. */
function readSeeds(file: string): Map<SectorId, string> {
  const seeds = new Map<SectorId, string>();
  const names = new Set<string>();
  for (const { line, at } of linesOf(file)) {
    const [name = '', hex = '', ...rest] = line.split(/\s+/);
    try {
      const sector = parseOneSector(name);
      if (rest.length > 0) throw new InvalidArgumentError('A line has a sector and its seed, no more.');
      if (names.has(sectorName(sector))) throw new InvalidArgumentError('The sector has a line already.');
      names.add(sectorName(sector));
      seeds.set(sector, parseHex32(hex));
    } catch (error) {
      throw new InvalidArgumentError(`${at}: ${line}: ${(error as Error).message}`);
    }
  }
  return seeds;
}

/** @throws UserError when there is a seed too many or none */
function seedsOf(target: Target, hex: string | undefined): Map<SectorId, string> {
  if ('seeds' in target) {
    if (hex !== undefined) throw new UserError('the seeds are in the file: give no other one');
    return target.seeds;
  }
  if (hex === undefined)
    throw new UserError('the seed is missing', { hint: `sealflow seed ${sectorName(target.sector)} HEX` });
  return new Map([[target.sector, hex]]);
}
