import { Command } from 'commander';
import { provideSeedUpdate } from '../../messages.js';
import type { SectorId } from '../../sector.js';
import { parseHex32, parseSectors } from '../arguments.js';
import { updateEach } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

interface SeedOptions extends ServerOptions {
  replace?: boolean;
  json?: boolean;
}

export const seedCommand = (): Command =>
  withServer(new Command('seed'))
    .description('give a sector the seed that P3 waits for')
    .argument('<sector>', 'like t01000/7', (text) => parseSectors(text))
    .argument('<hex>', '32 bytes as 64 hex digits', parseHex32)
    .option('--replace', 'replace the current seed; P3 and P4 run again')
    .option('--json', 'print JSON')
    .action(([sector]: [SectorId], seed: string, { replace, ...options }: SeedOptions) =>
      updateEach([sector], 'given', options, provideSeedUpdate, { seed, replace }),
    );
