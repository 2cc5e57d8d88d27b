import { Command } from 'commander';
import { targetOf } from '../../temporal/connect/target.js';
import { readConfig } from '../../config.js';
import { warnAtStart } from '../../doctor/at-start.js';
import { scaledTimes } from '../../phases.js';
import { VERSION } from '../../version.js';
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
      const looks = untilLook();
      const config = readConfig(file);
      const engine = await engineFor(config);
      const log = createLog();
      const signal = untilSignal((name) => log.info(`stopping (${name}): no new work is taken`));
      const target = targetOf(config);
      const { mountQuick, mountSlow } = scaledTimes(timeScale);
      void warnAtStart(config, log, { quickMs: mountQuick, slowMs: mountSlow });
      // After warnAtStart, because this reads local_dir, which is watched from then on.
      await checkWritable(config.localDir);
      await lockPhases(config, log);
      log.info(`sealflow ${VERSION}, worker ${process.pid} of ${config.ip} with ${file}`);
      installRuntime(config.metricsListen);
      await serve({ config, engine, target, log, signal, onLook: looks, timeScale });
    });

/**
 * `sealflow drain` and `undrain` send SIGUSR2, which would end a process that does not listen.
 * @returns what sets the function that is called then
 */
function untilLook(): (look: () => void) => void {
  let onSignal: () => void = () => undefined;
  process.on('SIGUSR2', () => onSignal());
  return (look) => void (onSignal = look);
}
