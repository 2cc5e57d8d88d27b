/** Assigns CPUs to engines. P2 and P3 get all that this process may use, except the reserved ones and P1's. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config.js';
import type { PhaseId } from '../phases.js';
import { UserError } from '../user-error.js';

/** CPUs that this process may run on. Respects a container's cpuset, but not its CPU quota. */
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

/**
 * How many P1 may run beside a P2 or P3 of the same config: all slots of the pools that serve P1, less one for
 * each pool that also serves P2 or P3.
 */
export const p1Beside = ({ pools }: Pick<Config, 'pools'>): number =>
  pools
    .filter(({ phases }) => phases.includes('P1'))
    .reduce((sum, { slots, phases }) => sum + slots - (isWide(phases) ? 1 : 0), 0);

/** CPUs for the engines of each phase; undefined: all CPUs. */
export type Cores = Partial<Record<PhaseId, readonly number[]>>;

/**
 * Divides the host's CPUs between phases. The lowest `reserved_cores` stay free for interrupts and system work.
 * If P1 may run beside P2 or P3, the next `p1_cores` go to P1 (default: one per P1, at most half of the
 * remaining CPUs). P2 and P3 get the rest.
 * @throws UserError when no CPU would be left for P2 and P3
 */
export function divideCores(config: Pick<Config, 'pools' | 'engine'>, allowed = allowedCpus()): Cores {
  if (!config.pools.some(({ phases }) => isWide(phases))) return {};
  const { reserved_cores: reserved, p1_cores: configured } = config.engine;
  const beside = p1Beside(config);
  const unreserved = allowed.slice(reserved);
  const p1 = beside === 0 ? 0 : (configured ?? Math.min(beside, Math.floor(unreserved.length / 2)));
  const wide = unreserved.slice(p1);
  if (wide.length === 0) throw noneLeft(reserved, p1, allowed.length);
  return { P2: wide, P3: wide, ...(p1 > 0 && { P1: unreserved.slice(0, p1) }) };
}

function noneLeft(reserved: number, p1: number, cpus: number): UserError {
  const besideP1 = p1 > 0 ? ` and p1_cores = ${p1}` : '';
  const max = Math.max(0, cpus - 1);
  const target = `${p1 > 0 ? 'reduce their sum' : 'set it'} to ${max} or less`;
  const hint = `${target}, or serve P2 and P3 on another host`;
  return new UserError(
    `engine.reserved_cores = ${reserved}${besideP1} leaves no core for P2 and P3: this host has ${cpus}`,
    { hint },
  );
}
