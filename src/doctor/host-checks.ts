/** Checks of this host itself: neither a server nor a mount is asked. */
import type { Config } from '../config.js';
import { engineEnvironment } from '../engine/environment.js';
import { readCpu } from '../machine/cpu.js';
import { openFilesLimit } from '../machine/limits.js';
import { memoryLimit } from '../machine/memory-limit.js';
import { allowedCpus } from '../workers/cores.js';
import { judgeConfig } from './checks/config.js';
import { judgeEnvironment } from './checks/environment.js';
import { judgeCores, judgeMemoryOfP1, judgeOpenFiles, judgeSha } from './checks/host.js';
import { judgeMemoryOfP4 } from './checks/memory-of-p4.js';
import { checkUnit } from './checks/unit.js';
import type { Check } from './run-checks.js';

export const configCheck = (config: Config): Check => ({ name: 'config', look: () => judgeConfig(config) });

export const coresCheck = (config: Config): Check => ({
  name: 'cores',
  look: () => judgeCores(config, allowedCpus()),
});

/** What a worker does not find out by itself, or not before a sector's hour has come. */
export function hostChecks(config: Config): Check[] {
  return [
    {
      name: 'memory for P4',
      look: async () => judgeMemoryOfP4(config, environmentOf(config), await memoryLimit()),
    },
    { name: 'SHA-NI', look: async () => judgeSha(config, await readCpu()) },
    { name: 'memory for P1', look: async () => judgeMemoryOfP1(config, await memoryLimit()) },
    { name: 'open files', look: async () => judgeOpenFiles(config, await openFilesLimit()) },
    { name: 'environment', look: () => judgeEnvironment(givenTo(config)) },
    { name: 'systemd unit', look: checkUnit },
  ];
}

/** As engines will find it. */
const environmentOf = ({ engine }: Config): NodeJS.ProcessEnv => engineEnvironment(engine.environment);

/** All that was meant for engines: who sets what no engine is handed on (FORCE_*) is told that it does nothing. */
const givenTo = (config: Config): NodeJS.ProcessEnv => ({ ...process.env, ...environmentOf(config) });
