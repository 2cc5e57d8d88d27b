import { Command, Option } from 'commander';
import { SECTOR_SIZE_NAMES, type SectorSize } from '../../phases.js';
import { runDev } from '../../dev/run-dev.js';
import { defaultDevDirectory } from '../../dev/home.js';
import { UserError } from '../../user-error.js';
import { parseCount, timeScaleOption } from '../arguments.js';
import { untilSignal } from '../process.js';

/** The engine generates parameters for these sizes itself. */
const TEST_SIZES: readonly SectorSize[] = SECTOR_SIZE_NAMES.slice(0, 3);

interface DevCommandOptions {
  sectors: number;
  size: SectorSize;
  keep?: boolean;
  directory: string;
  port?: number;
  uiPort?: number;
  timeScale?: number;
}

export const devCommand = (): Command =>
  new Command('dev')
    .description('run everything on this machine (server, Web UI, workers) and seal real sectors')
    .option('--sectors <n>', 'how many to seal; sectors left by an earlier run come first', parseCount, 1)
    .addOption(new Option('--size <size>', 'sector size').choices(TEST_SIZES.slice()).default('2KiB'))
    .option('--keep', 'keep server and Web UI running afterwards, until Ctrl-C')
    .option('--directory <dir>', 'directory for all its files', defaultDevDirectory())
    .option('--port <n>', 'port of the Temporal server (default: a free port)', parseCount)
    .option('--ui-port <n>', 'port of the Web UI (default: a free port)', parseCount)
    .addOption(timeScaleOption())
    .action(async ({ keep, ...options }: DevCommandOptions) => {
      if (process.platform !== 'linux') throw new UserError('sealflow runs on Linux only');
      await runDev({ ...options, keep: keep ?? false, signal: untilSignal() });
    });
