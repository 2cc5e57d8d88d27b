/** `sealflow doctor`: checks everything that a host needs before it takes work. Changes nothing. */
import type { Config } from '../config.js';
import { targetOf } from '../temporal/connect/target.js';
import type { MountTimes } from '../mounts/mounts.js';
import { mountsOf, registerMounts } from '../mounts/register.js';
import { engineChecks } from './engine-checks.js';
import type { Finding } from './finding.js';
import { configCheck, coresCheck, hostChecks, memoryOfP4Check } from './host-checks.js';
import {
  diskCheck,
  groupCheck,
  nfsCheck,
  nodeChecks,
  ownerCheck,
  roomChecks,
  trials,
  workerCheck,
} from './mount-checks.js';
import { startChecks } from './run-checks.js';
import { ServerChecks } from './server-checks.js';

/** Short, because a person is waiting: a mount that does not answer for this long is reported as hung. */
const MOUNT_TIMES: MountTimes = { quickMs: 5_000, slowMs: 50_000 };

export interface DoctorOptions {
  /** Also compare the digests of the proof parameters. */
  deep: boolean;
}

/**
 * Runs all checks concurrently.
 * @returns the findings in the order of the checks, each as soon as it is known
 * @throws UserError when Temporal's profile cannot be read
 */
export async function* examine(config: Config, { deep }: DoctorOptions): AsyncGenerator<Finding> {
  const target = targetOf(config);
  const server = new ServerChecks(target, config);
  registerMounts(config, config.engine.command?.[0], MOUNT_TIMES);
  const findings = startChecks([
    configCheck(config),
    ...server.checks,
    groupCheck(config, target.namespace),
    workerCheck(config, server.told),
    ...mountsOf(config).flatMap((directory) => [
      diskCheck(config, directory),
      nfsCheck(directory),
      ownerCheck(config, directory),
      ...trials(config, directory),
    ]),
    ...nodeChecks(config),
    ...roomChecks(config),
    coresCheck(config),
    memoryOfP4Check(config),
    ...hostChecks(config),
    ...engineChecks(config, deep),
  ]);
  try {
    for (const finding of findings) yield await finding;
  } finally {
    await server.close();
  }
}
