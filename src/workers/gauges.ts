/** Metrics of a host's capacity, served at `[metrics] listen`. */
import { Runtime } from '@temporalio/worker';
import type { PhaseId } from '../phases.js';

export interface Gauges {
  /** Slots of a pool, and how many of them are taken. */
  slots(pool: string, taken: number, size: number): void;
  /** Whether local_dir has room for a new sector. */
  room(hasRoom: boolean): void;
  /** Free bytes of local_dir, and how many of them running sectors still need. */
  scratch(free: number, reserved: number): void;
  /** Whether a phase of the config is served. */
  served(phase: PhaseId, isServed: boolean): void;
  /** Whether the host is drained. */
  drained(isDrained: boolean): void;
}

const GAUGES = {
  slots: ['slots', 'slots of a pool'],
  slots_taken: ['slots', 'slots of a pool taken by tasks or engines'],
  room_for_new_sector: ['', '1 when local_dir has room for one more sector, else 0'],
  scratch_free_bytes: ['bytes', 'free space of local_dir'],
  scratch_reserved_bytes: ['bytes', 'part of the free space that running sectors still need'],
  phase_served: ['', '1 when this phase of the config is served, else 0'],
  drained: ['', '1 when the host is drained, else 0'],
} as const;
type Name = keyof typeof GAUGES;
type Tags = Record<string, string>;

/**
 * The last values, and the meter that has them. The SDK throws its runtime away, and all metrics with it, when a connection fails
 * while there is no other one; the next call makes a new runtime with the same options, which knows nothing of the values.
 */
class Values {
  private readonly last = new Map<string, { name: Name; value: number; tags: Tags }>();
  private meter: Runtime['metricMeter'] | undefined;
  private gauges = new Map<string, ReturnType<Runtime['metricMeter']['createGauge']>>();

  set(name: Name, value: number, tags: Tags = {}): void {
    this.last.set(`${name} ${JSON.stringify(tags)}`, { name, value, tags });
    if (!this.renew()) this.gauges.get(name)?.set(value, tags);
  }

  /** @returns whether the runtime is a new one, which has got all values */
  renew(): boolean {
    const { metricMeter: meter } = Runtime.instance();
    if (meter === this.meter) return false;
    this.meter = meter;
    this.gauges = new Map(
      Object.entries(GAUGES).map(([name, [unit, description]]) => [
        name,
        meter.createGauge(`sealflow_${name}`, 'int', unit, description),
      ]),
    );
    for (const { name, value, tags } of this.last.values()) this.gauges.get(name)?.set(value, tags);
    return true;
  }
}

/** Call it after the Temporal runtime has been installed. */
export function createGauges(): Gauges & { renew(): void } {
  const values = new Values();
  return {
    slots: (pool, count, size) => {
      values.set('slots_taken', count, { pool });
      values.set('slots', size, { pool });
    },
    room: (hasRoom) => values.set('room_for_new_sector', hasRoom ? 1 : 0),
    scratch: (free, reserved) => {
      values.set('scratch_free_bytes', free);
      values.set('scratch_reserved_bytes', reserved);
    },
    served: (phase, isServed) => values.set('phase_served', isServed ? 1 : 0, { phase }),
    drained: (isDrained) => values.set('drained', isDrained ? 1 : 0),
    renew: () => void values.renew(),
  };
}
