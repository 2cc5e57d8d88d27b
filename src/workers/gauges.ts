/** What a host has, as metrics: `[metrics] listen` serves them. */
import { Runtime } from '@temporalio/worker';

export interface Gauges {
  /** Slots of a pool, and how many are taken. */
  slots(pool: string, taken: number, size: number): void;
  /** Whether a new sector is taken: 0 while local_dir has no room. */
  room(hasRoom: boolean): void;
  /** Bytes that local_dir has free, and what running sectors will still need of them. */
  scratch(free: number, reserved: number): void;
}

/** To be called when the runtime is installed. */
export function createGauges(): Gauges {
  const meter = Runtime.instance().metricMeter;
  const gauge = (name: string, unit: string, description: string) =>
    meter.createGauge(`sealflow_${name}`, 'int', unit, description);
  const slots = gauge('slots', 'slots', 'slots of a pool');
  const taken = gauge('slots_taken', 'slots', 'slots of a pool that tasks or engines have');
  const room = gauge('room_for_new_sector', '', '1 when local_dir has room for one more sector, else 0');
  const free = gauge('scratch_free_bytes', 'bytes', 'free space of local_dir');
  const reserved = gauge('scratch_reserved_bytes', 'bytes', 'what running sectors will still need of it');
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
