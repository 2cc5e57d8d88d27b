import type { Config } from '../config.js';
import type { Engine } from '../engines/engine.js';
import { connectorTo } from '../temporal/connect/native.js';
import type { Target } from '../temporal/connect/target.js';
import { runHost, type HostOptions } from '../workers/host.js';
import { parametersMissing } from './engine.js';
import { unlessStopped } from './process.js';

export interface ServeOptions extends Pick<HostOptions, 'log' | 'signal' | 'onLook' | 'timeScale'> {
  config: Config;
  /** From `engineFor`. */
  engine: Engine | undefined;
  target: Target;
}

/**
 * Serves the phases of a config until the signal is aborted, and waits for a server that is not up yet. Nothing in it belongs
 * to the process: tests run several hosts in one.
 */
export async function serve({ engine, target, ...options }: ServeOptions): Promise<void> {
  const { config, log, signal } = options;
  const host: HostOptions = {
    ...options,
    namespace: target.namespace,
    connect: connectorTo(target, signal, (why) => log.warn(`waiting for Temporal: ${why}`)),
    engine: engine ?? { command: [], environment: {} },
    parametersMissing: async () => engine && (await parametersMissing(engine, config.size)),
  };
  await unlessStopped(signal, () => runHost(host));
  log.info('stopped; running engines continue');
}
