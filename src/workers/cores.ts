/** Which CPUs engines run on. P2 and P3 take all that this process may use, but the reserved ones. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config.js';
import type { PhaseId } from '../phases.js';
import { UserError } from '../user-error.js';

/** CPUs that this process may run on; a container's cpuset shows here, its CPU quota does not. */
export function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return parseCpuList(list);
}

/** `0-3,8` → 0 1 2 3 8 (cpuset(7), list format). */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

const WIDE: readonly PhaseId[] = ['P2', 'P3'];
const isWide = (phases: readonly PhaseId[]): boolean => phases.some((phase) => WIDE.includes(phase));

/** How many P1 may run beside a P2 or P3 of the same config: each slot of P1's pools but the one that P2 is in. */
export const p1Beside = ({ pools }: Pick<Config, 'pools'>): number =>
  pools
    .filter(({ phases }) => phases.includes('P1'))
    .reduce((sum, { slots, phases }) => sum + slots - (isWide(phases) ? 1 : 0), 0);

/** CPUs of a phase's engines; undefined: all. */
export type Cores = Partial<Record<PhaseId, readonly number[]>>;

/**
 * How a host's CPUs are divided. The lowest `reserved_cores` are left free: interrupts and the system's own work land there.
 * Where P1 may run beside P2 or P3, the next `p1_cores` are P1's: if not given, one for each P1, but at most half of what is
 * left. The rest is for P2 and P3.
 * @throws UserError when none would be left for them.
 */
export function divideCores(config: Pick<Config, 'pools' | 'engine'>, allowed = allowedCpus()): Cores {
  if (!config.pools.some(({ phases }) => isWide(phases))) return {};
  const { reserved_cores: reserved, p1_cores: given } = config.engine;
  const beside = p1Beside(config);
  const unreserved = allowed.slice(reserved);
  const p1 = beside === 0 ? 0 : (given ?? Math.min(beside, Math.floor(unreserved.length / 2)));
  const wide = unreserved.slice(p1);
  if (wide.length === 0) throw noneLeft(reserved, p1, allowed.length);
  return { P2: wide, P3: wide, ...(p1 > 0 && { P1: unreserved.slice(0, p1) }) };
}

function noneLeft(reserved: number, p1: number, cpus: number): UserError {
  const besideP1 = p1 > 0 ? ` and p1_cores = ${p1}` : '';
  const hint = `${p1 > 0 ? 'let both together be' : 'set it to'} ${Math.max(0, cpus - 1)} or less, or serve P2 and P3 on another host`;
  return new UserError(
    `engine.reserved_cores = ${reserved}${besideP1} leaves no core for P2 and P3: this host has ${cpus}`,
    { hint },
  );
}
