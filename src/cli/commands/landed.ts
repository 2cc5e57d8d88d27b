import { Command } from 'commander';
import { landedUpdate } from '../../messages.js';
import { sectorName, type SectorId } from '../../sector.js';
import {
  clientFrom,
  parseSectors,
  print,
  printJson,
  tellWorkflow,
  withServer,
  type ServerOptions,
} from '../common.js';

interface LandedOptions extends ServerOptions {
  message?: string;
  json?: boolean;
}

export const landedCommand = (): Command =>
  withServer(new Command('landed'))
    .description('tell that the proofs of sectors are on chain: P6 may delete their scratch')
    .argument('<sectors...>', 'like t01000/7 or t01000/1-500', parseSectors)
    .option('--message <text>', "for the workflow's history, like the CID of the message")
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { message, json, ...server }: LandedOptions) => {
      const client = await clientFrom(server);
      for (const sector of sectors) {
        const answer = await tellWorkflow(client, sector, landedUpdate, { message });
        if (json) printJson({ sector: sectorName(sector), answer });
        else print(`${sectorName(sector)}: ${answer}`);
      }
    });
