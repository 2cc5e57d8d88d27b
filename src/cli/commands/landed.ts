import { Command } from 'commander';
import { landedUpdate } from '../../messages.js';
import type { SectorId } from '../../sector.js';
import { parseSectors, SECTORS } from '../arguments.js';
import { updateEach } from '../each-sector.js';
import { withServer, type ServerOptions } from '../server.js';

interface LandedOptions extends ServerOptions {
  message?: string;
  json?: boolean;
}

export const landedCommand = (): Command =>
  withServer(new Command('landed'))
    .description('report that the proofs of sectors are on chain: P6 may delete their scratch')
    .argument('<sectors...>', SECTORS, parseSectors)
    .option('--message <text>', "note for the workflow's history, such as the message CID")
    .option('--json', 'print JSON')
    .action((sectors: SectorId[], { message, ...options }: LandedOptions) =>
      updateEach(sectors, 'reported', options, landedUpdate, { message }),
    );
