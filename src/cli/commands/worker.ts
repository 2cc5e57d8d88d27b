import { Command } from 'commander';
import { targetOf } from '../../temporal/connect/target.js';
import { readConfig } from '../../config.js';
import { warnAtStart } from '../../doctor/at-start.js';
import { scaledTimes } from '../../phases.js';
import { createLog, installRuntime } from '../../telemetry.js';
import { checkWritable } from '../../group/marker.js';
import { lockPhases } from '../../workers/only-worker.js';
import { timeScaleOption } from '../arguments.js';
import { engineFor } from '../engine.js';
import { untilSignal } from '../process.js';
import { serve } from '../serve.js';

export const workerCommand = (): Command =>
  new Command('worker')
    .description('serve the phases of one config.toml on this host, until SIGTERM; engines keep running')
    .requiredOption('--config <file>', 'config.toml of this host')
    .addOption(timeScaleOption())
    .action(async ({ config: file, timeScale = 1 }: { config: string; timeScale?: number }) => {
      const config = readConfig(file);
      const engine = await engineFor(config);
      const log = createLog();
      const signal = untilSignal();
      signal.addEventListener('abort', () => log.info('stopping: no new work is taken'));
      const drain = untilDrained();
      const target = targetOf(config);
      const { mountQuick, mountSlow } = scaledTimes(timeScale);
      void warnAtStart(config, log, { quickMs: mountQuick, slowMs: mountSlow });
      // After warnAtStart, because this reads local_dir, which is watched from then on.
      await checkWritable(config.localDir);
      await lockPhases(config, log);
      installRuntime(config.metricsListen);
      await serve({ config, engine, target, log, signal, drain, timeScale });
    });

/** Aborted by SIGUSR2, which `sealflow drain` sends. */
function untilDrained(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGUSR2', () => controller.abort());
  return controller.signal;
}
