/**
 * Quick checks that a worker runs when it starts: those that write nothing and find problems that the worker does not
 * detect and log itself.
 */
import type { Config } from '../config.js';
import type { MountTimes } from '../mounts/mounts.js';
import { mountsOf, registerMounts } from '../mounts/register.js';
import type { Log } from '../telemetry.js';
import { ADDRESS_CHECK, hostChecks, memoryOfP4Check } from './host-checks.js';
import { nfsCheck } from './mount-checks.js';
import { startChecks } from './run-checks.js';

/** In ms; a check that takes longer is logged as failed and not awaited any further. */
const QUICK_MS = 2_000;

/**
 * Logs failed checks. Never throws; callers need not await it.
 * @param times the worker's own, since the first registration of a mount sets its times
 */
export async function warnAtStart(config: Config, log: Log, times: MountTimes): Promise<void> {
  registerMounts(config, config.engine.command?.[0], times);
  const checks = [...mountsOf(config).map(nfsCheck), memoryOfP4Check(config), ...hostChecks(config)];
  for (const finding of startChecks(checks.map((check) => ({ ...check, deadlineMs: QUICK_MS })))) {
    const { check, result, found, wanted, hint } = await finding;
    if (result !== 'fail' && !(result === 'warn' && check === ADDRESS_CHECK)) continue;
    log.warn(`doctor: ${check}: ${found}; wanted: ${wanted}; ${hint}`.replaceAll('\n', ', '));
  }
}
