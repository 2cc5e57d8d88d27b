/** Pollers of a pool of slots, in fake time. */
import type { ActivitySlotInfo, CustomSlotSupplier } from '@temporalio/worker';
import { vi } from 'vitest';
import type { Slot } from '../../src/activities/deps.js';
import type { PhaseId } from '../../src/phases.js';
import type { SlotPool } from '../../src/workers/slots.js';

/** Longer than a granted permit is counted as a likely task. */
export const PROBE_OVER = 60;

type Supplier = CustomSlotSupplier<ActivitySlotInfo>;
type Used = Parameters<Supplier['markSlotUsed']>[0];
type Released = Parameters<Supplier['releaseSlot']>[0];

/** One queue's poller, as the SDK drives a supplier. */
export class Poller {
  /** Permits that were granted and not used yet. */
  permits: unknown[] = [];
  private readonly supplier: Supplier;
  /** The SDK makes one for each permit that it asks for. */
  private asked: AbortController[] = [];
  private isShutDown = false;

  constructor(
    pool: SlotPool,
    readonly queue: string,
    isOpen?: () => boolean,
    phase: PhaseId = 'P1',
  ) {
    this.supplier = pool.supplier({ phase, ...(isOpen && { isOpen }) });
  }

  /** Asks for a permit; it lands in `permits`. */
  ask(): this {
    const context = { slotType: 'activity', taskQueue: this.queue, isSticky: false } as never;
    const abort = new AbortController();
    if (this.isShutDown) abort.abort();
    this.asked.push(abort);
    void this.supplier.reserveSlot(context, abort.signal).then((permit) => this.permits.push(permit));
    return this;
  }

  abort(): void {
    this.isShutDown = true;
    for (const abort of this.asked) abort.abort();
  }

  /** A task came: the permit is used, and the next is asked for. */
  use(): unknown {
    const permit = this.permits.shift();
    this.supplier.markSlotUsed({ permit } as unknown as Used);
    this.ask();
    return permit;
  }

  release(permit: unknown): void {
    this.supplier.releaseSlot({ permit } as unknown as Released);
  }

  /** The poll ended without a task: at shutdown. */
  giveBack(): void {
    this.release(this.permits.shift());
  }
}

export const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
export const granted = (pollers: Poller[]): string[] =>
  pollers.flatMap(({ queue, permits }) => permits.map(() => queue));

/** Each for a sector of its own. */
let sectors = 0;
export const enter = (pool: SlotPool, phase: PhaseId = 'P1'): Slot | undefined =>
  pool.enter({ phase, sector: `s-t01000-${++sectors}` });
