/** Checks of this host itself: neither a server nor a mount is asked. */
import type { Config } from '../config.js';
import { engineEnvironment } from '../engines/environment.js';
import { readCpu } from '../machine/cpu.js';
import { openFilesLimit } from '../machine/limits.js';
import { memoryOfHost } from '../machine/memory-limit.js';
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

export const memoryOfP4Check = (config: Config): Check => ({
  name: 'memory for P4',
  look: async () => judgeMemoryOfP4(config, environmentOf(config), await memory()),
});

/** What a worker does not find out by itself. */
export function hostChecks(config: Config): Check[] {
  return [
    { name: 'SHA-NI', look: async () => judgeSha(config, await readCpu()) },
    { name: 'memory for P1', look: async () => judgeMemoryOfP1(config, await memory()) },
    { name: 'open files', look: async () => judgeOpenFiles(config, await openFilesLimit()) },
    { name: 'environment', look: () => judgeEnvironment({ ...process.env, ...config.engine.environment }) },
    { name: 'systemd unit', look: checkUnit },
  ];
}

/** As engines will find it. */
const environmentOf = ({ engine }: Config): NodeJS.ProcessEnv => engineEnvironment(engine.environment);

/** Bytes of this host, or what its container or unit may use. */
const memory = async (): Promise<number> => (await memoryOfHost()).total;
