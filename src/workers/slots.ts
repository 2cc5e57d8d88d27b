/** A pool of slots over several queues: never more than its size at work, and no queue starves another. */
import type { ActivitySlotInfo, CustomSlotSupplier, SlotReserveContext } from '@temporalio/worker';

/** How long a granted permit is counted as a likely task; a task that is there arrives within it. */
const PROBE_MS = 50;

interface Waiting {
  queue: string;
  open: () => boolean;
  grant: (permit: Permit) => void;
}

interface Permit {
  queue: string;
  unused: boolean;
}

/**
 * Temporal takes a permit *before* it knows whether there is a task, so permits cannot be slots: idle queues would hold
 * them all. Permits are therefore granted one after the other while a slot is free, at most one unused permit per queue,
 * and the slot itself is taken when the task begins (`enter`); a task that finds the pool full is handed back.
 */
export class SlotPool {
  private busy = 0;
  private probing = 0;
  private readonly waiting: Waiting[] = [];
  private readonly unused = new Map<string, number>();

  constructor(readonly size: number) {}

  /** Takes a slot. @returns a function that gives it back, or undefined when all are taken. */
  enter(): (() => void) | undefined {
    if (this.busy >= this.size) return undefined;
    this.busy += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.busy -= 1;
      this.pump();
    };
  }

  /** @param open whether the queue may be polled at all at the moment. */
  supplier(open: () => boolean = () => true): CustomSlotSupplier<ActivitySlotInfo> {
    return {
      type: 'custom',
      reserveSlot: ({ taskQueue }: SlotReserveContext, signal: AbortSignal) =>
        // At shutdown the promise stays open on purpose: a rejection is logged as an error whatever its reason.
        new Promise<Permit>((grant) => {
          const entry = { queue: taskQueue, grant, open };
          if (signal.aborted) return;
          this.waiting.push(entry);
          signal.addEventListener('abort', () => this.forget(entry), { once: true });
          this.pump();
        }),
      tryReserveSlot: () => null,
      markSlotUsed: ({ permit }) => this.use(permit as unknown as Permit),
      releaseSlot: ({ permit }) => this.use(permit as unknown as Permit),
    };
  }

  /** Looks again who may poll; to be called when something that `open` depends on has changed. */
  pump(): void {
    while (this.probing < this.size - this.busy) {
      const next = this.waiting.find((entry) => !this.unused.get(entry.queue) && entry.open());
      if (!next) return;
      this.forget(next);
      this.count(next.queue, 1);
      this.probing += 1;
      next.grant({ queue: next.queue, unused: true });
      setTimeout(() => {
        this.probing -= 1;
        this.pump();
      }, PROBE_MS).unref();
    }
  }

  private use(permit: Permit): void {
    if (!permit.unused) return;
    permit.unused = false;
    this.count(permit.queue, -1);
    this.pump();
  }

  private count(queue: string, change: number): void {
    this.unused.set(queue, (this.unused.get(queue) ?? 0) + change);
  }

  private forget(entry: Waiting): void {
    const index = this.waiting.indexOf(entry);
    if (index >= 0) this.waiting.splice(index, 1);
  }
}
