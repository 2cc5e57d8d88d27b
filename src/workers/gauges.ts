/** Metrics of a host's capacity, served at `[metrics] listen`. */
import { Runtime } from '@temporalio/worker';

export interface Gauges {
  /** Slots of a pool, and how many of them are taken. */
  slots(pool: string, taken: number, size: number): void;
  /** Whether local_dir has room for a new sector. */
  room(hasRoom: boolean): void;
  /** Free bytes of local_dir, and how many of them running sectors still need. */
  scratch(free: number, reserved: number): void;
}

/** Call it after the Temporal runtime has been installed. */
export function createGauges(): Gauges {
  const meter = Runtime.instance().metricMeter;
  const gauge = (name: string, unit: string, description: string) =>
    meter.createGauge(`sealflow_${name}`, 'int', unit, description);
  const slots = gauge('slots', 'slots', 'slots of a pool');
  const taken = gauge('slots_taken', 'slots', 'slots of a pool taken by tasks or engines');
  const room = gauge('room_for_new_sector', '', '1 when local_dir has room for one more sector, else 0');
  const free = gauge('scratch_free_bytes', 'bytes', 'free space of local_dir');
  const reserved = gauge(
    'scratch_reserved_bytes',
    'bytes',
    'part of the free space that running sectors still need',
  );
  return {
    slots: (pool, count, size) => {
      taken.set(count, { pool });
      slots.set(size, { pool });
    },
    room: (hasRoom) => room.set(hasRoom ? 1 : 0),
    scratch: (bytesFree, bytesReserved) => {
      free.set(bytesFree);
      reserved.set(bytesReserved);
    },
  };
}
