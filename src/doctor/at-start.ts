/**
 * The quick checks, which a worker makes when it starts: those that write nothing, and tell what it does not find out (and
 * say) by itself.
 */
import type { Config } from '../config.js';
import type { MountTimes } from '../mounts/mounts.js';
import { mountsOf, registerMounts } from '../mounts/register.js';
import type { Log } from '../telemetry.js';
import { hostChecks, memoryOfP4Check } from './host-checks.js';
import { nfsCheck } from './mount-checks.js';
import { startChecks } from './run-checks.js';

/** In ms; a check that takes longer is told, and goes on without being waited for. */
const QUICK_MS = 2_000;

/**
 * Logs what fails. Never throws; nothing needs to wait for it.
 * @param times the worker's own: whoever registers a mount first decides
 */
export async function warnAtStart(config: Config, log: Log, times: MountTimes): Promise<void> {
  registerMounts(config, config.engine.command?.[0], times);
  const checks = [...mountsOf(config).map(nfsCheck), memoryOfP4Check(config), ...hostChecks(config)];
  for (const finding of startChecks(checks.map((check) => ({ ...check, deadlineMs: QUICK_MS })))) {
    const { check, result, found, wanted, hint } = await finding;
    if (result !== 'fail') continue;
    log.warn(`doctor: ${check}: ${found}; wanted: ${wanted}; ${hint}`.replaceAll('\n', ', '));
  }
}
