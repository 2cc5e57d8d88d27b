import { Command } from 'commander';
import { provideSeedUpdate } from '../../messages.js';
import { sectorName, type SectorId } from '../../sector.js';
import {
  clientFrom,
  parseHex32,
  parseSectors,
  print,
  printJson,
  tellWorkflow,
  withServer,
  type ServerOptions,
} from '../common.js';

interface SeedOptions extends ServerOptions {
  replace?: boolean;
  json?: boolean;
}

export const seedCommand = (): Command =>
  withServer(new Command('seed'))
    .description('give a sector the seed that P3 waits for')
    .argument('<sector>', 'like t01000/7', (text) => parseSectors(text))
    .argument('<hex>', '32 bytes as 64 hex digits', parseHex32)
    .option('--replace', 'put it in the place of another seed: P3 and P4 run again')
    .option('--json', 'print JSON')
    .action(async ([sector]: [SectorId], seed: string, { replace, json, ...server }: SeedOptions) => {
      const client = await clientFrom(server);
      const answer = await tellWorkflow(client, sector, provideSeedUpdate, { seed, replace });
      if (json) printJson({ sector: sectorName(sector), answer });
      else print(`${sectorName(sector)}: ${answer}`);
    });
