/** Checks of this host itself, without the server or mounts. */
import { networkInterfaces } from 'node:os';
import type { Config } from '../config.js';
import { engineEnvironment } from '../engines/environment.js';
import { readCpu } from '../machine/cpu.js';
import { lockedMemoryRoom, openFilesLimit } from '../machine/limits.js';
import { memoryOfHost } from '../machine/memory-limit.js';
import { readTopology } from '../machine/topology.js';
import { judgeAddress } from './checks/address.js';
import { judgeConfig } from './checks/config.js';
import { judgeEnvironment } from './checks/environment.js';
import { judgeCores } from './checks/cores.js';
import { judgeLockedMemory, judgeMemoryOfP1, judgeOpenFiles, judgeSha } from './checks/host.js';
import { judgeMemoryOfP4 } from './checks/memory-of-p4.js';
import { checkUnit } from './checks/unit.js';
import type { Check } from './run-checks.js';

/** Its warning is logged by a worker too: what follows from it looks like anything else. */
export const ADDRESS_CHECK = 'ip';

export const configCheck = (config: Config): Check => ({ name: 'config', run: () => judgeConfig(config) });

export const coresCheck = (config: Config): Check => ({
  name: 'cores',
  run: () => judgeCores(config, readTopology()),
});

export const memoryOfP4Check = (config: Config): Check => ({
  name: 'memory for P4',
  run: async () => judgeMemoryOfP4(config, environmentOf(config), await memory()),
});

/** Problems that a worker does not detect itself. */
export function hostChecks(config: Config): Check[] {
  return [
    { name: ADDRESS_CHECK, run: () => judgeAddress(config.ip, networkInterfaces()) },
    { name: 'SHA-NI', run: async () => judgeSha(config, await readCpu()) },
    { name: 'memory for P1', run: async () => judgeMemoryOfP1(config, await memory()) },
    { name: 'locked memory', run: async () => judgeLockedMemory(config, await lockedMemoryRoom()) },
    { name: 'open files', run: async () => judgeOpenFiles(config, await openFilesLimit()) },
    { name: 'environment', run: () => judgeEnvironment({ ...process.env, ...config.engine.environment }) },
    { name: 'systemd unit', run: checkUnit },
  ];
}

/** The environment that engines will get. */
const environmentOf = ({ engine }: Config): NodeJS.ProcessEnv => engineEnvironment(engine.environment);

/** Memory of this host in bytes, or the limit of its container or unit. */
const memory = async (): Promise<number> => (await memoryOfHost()).total;
