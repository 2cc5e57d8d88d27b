/** Which CPUs P2 and P3 run on: all that this process may use, but the reserved ones. */
import { readFileSync } from 'node:fs';
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

/**
 * The CPUs for P2 and P3. The lowest ones are left free: interrupts and the system's own work land there.
 * @throws UserError when none would be left.
 */
export function engineCpus(reserved: number, allowed = allowedCpus()): number[] {
  if (reserved >= allowed.length) {
    throw new UserError(
      `engine.reserved_cores = ${reserved} leaves no core for P2 and P3: this host has ${allowed.length}`,
      {
        hint: `set it to ${Math.max(0, allowed.length - 1)} or less, or serve P2 and P3 on another host`,
      },
    );
  }
  return allowed.slice(reserved);
}
