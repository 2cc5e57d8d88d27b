import { Command } from 'commander';
import { provideSeedUpdate, workflowId } from '../../contract.js';
import type { SectorId } from '../../sector.js';
import {
  clientFrom,
  parseHex32,
  parseSectors,
  print,
  printJson,
  toldByWorkflow,
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
      try {
        const handle = client.workflow.getHandle(workflowId(sector));
        const answer = await handle.executeUpdate(provideSeedUpdate, { args: [{ seed, replace }] });
        if (json) printJson({ answer });
        else print(answer);
      } catch (error) {
        throw toldByWorkflow(error, sector);
      }
    });
