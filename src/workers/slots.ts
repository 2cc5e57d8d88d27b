/** A pool of slots over several queues: never more than its size at work, and later phases before earlier ones. */
import type { ActivitySlotInfo, CustomSlotSupplier, SlotReserveContext } from '@temporalio/worker';
import type { Slot, Work } from '../activities/deps.js';
import { PHASE_IDS, type PhaseId } from '../phases.js';

/** How long a granted permit is counted as a likely task; a task that is there arrives within it. */
const PROBE_MS = 50;

/** A full pool polls this often for the tasks of its engines that have none. */
const ADOPT_MS = 1000;

/** A queue whose tasks take slots of the pool. */
export interface PooledQueue {
  phase: PhaseId;
  /** Whether it may be polled at all at the moment. */
  isOpen?: () => boolean;
  /** Told when it is going to be polled. */
  onPoll?: () => void;
}

interface Waiting extends PooledQueue {
  queue: string;
  isOpen: () => boolean;
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
 *
 * An engine at work that no task waits for (its worker was restarted) holds a slot too. It admits the task of its own
 * sector, whose queue is polled for that even when the pool is full.
 */
export class SlotPool {
  /** Tasks at work: what each does. */
  private readonly tasks = new Map<object, string>();
  /** Engines at work that no task waits for. */
  private engines = new Map<string, Work>();
  private probing = 0;
  private draining = false;
  private readonly waiting: Waiting[] = [];
  /** Queues with a permit that no task has used yet. */
  private readonly unused = new Set<string>();
  /** When a queue was last polled beyond the pool's size, in ms of this process' clock. */
  private readonly lastForEngine = new Map<string, number>();

  constructor(
    readonly size: number,
    private readonly onChange: () => void = () => undefined,
  ) {}

  /** Slots that are taken, by tasks or by engines without one. More than `size` after the size was lowered. */
  get taken(): number {
    return this.tasks.size + this.engines.size;
  }

  /** Whether it counts this as an engine that no task waits for. */
  holds = (work: Work): boolean => this.engines.has(keyOf(work));

  /** Takes a slot: that of the sector's own engine, or a free one. @returns undefined when all are taken. */
  enter(work: Work): Slot | undefined {
    const key = keyOf(work);
    if (!this.engines.has(key) && (this.draining || this.taken >= this.size)) return undefined;
    if (this.engines.delete(key)) this.lastForEngine.clear();
    const task = {};
    this.tasks.set(task, key);
    this.onChange();
    const leave = (): boolean => this.tasks.delete(task);
    return {
      leave: () => {
        if (leave()) this.pump();
      },
      leaveToEngine: () => {
        // Another task may have come for it already.
        if (leave() && ![...this.tasks.values()].includes(key)) this.engines.set(key, work);
        this.pump();
      },
    };
  }

  /** Tells which engines are at work without a task. Those whose task has come since are counted with it. */
  setEngines(engines: readonly Work[]): void {
    const withTask = new Set(this.tasks.values());
    const without = engines.filter((work) => !withTask.has(keyOf(work)));
    this.engines = new Map(without.map((work) => [keyOf(work), work]));
    this.pump();
  }

  /** From now on only the tasks of its own engines are taken. */
  drain(): void {
    this.draining = true;
  }

  supplier({ phase, isOpen = () => true, onPoll }: PooledQueue): CustomSlotSupplier<ActivitySlotInfo> {
    return {
      type: 'custom',
      reserveSlot: ({ taskQueue }: SlotReserveContext, signal: AbortSignal) =>
        // At shutdown the promise stays open on purpose: a rejection is logged as an error whatever its reason.
        new Promise<Permit>((grant) => {
          const entry = { queue: taskQueue, phase, isOpen, onPoll, grant };
          if (signal.aborted) return;
          this.line(entry);
          signal.addEventListener('abort', () => this.forget(entry));
          this.pump();
        }),
      tryReserveSlot: () => null,
      markSlotUsed: ({ permit }) => this.use(permit as unknown as Permit),
      releaseSlot: ({ permit }) => this.use(permit as unknown as Permit),
    };
  }

  /** Looks again who may poll; to be called when something that `isOpen` depends on has changed. */
  pump(): void {
    this.onChange();
    for (;;) {
      const hasFree = !this.draining && this.probing < this.size - this.taken;
      const next = this.waiting.find(
        (entry) => !this.unused.has(entry.queue) && entry.isOpen() && (hasFree || this.mayAdopt(entry)),
      );
      if (!next) return;
      if (!hasFree) this.noteForEngine(next);
      this.grant(next);
    }
  }

  /**
   * Lets each queue be polled for one task though the pool is full. Temporal forgets who has not polled for five minutes, and
   * then takes a host that is busy for hours for one that is not there; the task is told why it waits.
   */
  showPresence(): void {
    if (this.draining) return;
    for (const entry of [...this.waiting])
      if (!this.unused.has(entry.queue) && entry.isOpen()) this.grant(entry);
  }

  private grant(entry: Waiting): void {
    this.forget(entry);
    this.unused.add(entry.queue);
    this.probing += 1;
    entry.onPoll?.();
    entry.grant({ queue: entry.queue, unused: true });
    setTimeout(() => {
      this.probing -= 1;
      this.pump();
    }, PROBE_MS).unref();
  }

  /** Whether an engine's own task may come; not without pause, as until then others' tasks come and are handed back. */
  private mayAdopt({ phase, queue }: Waiting): boolean {
    const since = performance.now() - (this.lastForEngine.get(queue) ?? -Infinity);
    return since >= ADOPT_MS && [...this.engines.values()].some((engine) => engine.phase === phase);
  }

  private noteForEngine({ queue }: Waiting): void {
    this.lastForEngine.set(queue, performance.now());
    setTimeout(() => this.pump(), ADOPT_MS).unref();
  }

  private use(permit: Permit): void {
    if (!permit.unused) return;
    permit.unused = false;
    this.unused.delete(permit.queue);
    this.pump();
  }

  /** Later phases first, so that sectors finish and give their scratch back; of one phase whoever came first. */
  private line(entry: Waiting): void {
    const behind = this.waiting.findIndex(({ phase }) => rankOf(phase) < rankOf(entry.phase));
    this.waiting.splice(behind < 0 ? this.waiting.length : behind, 0, entry);
  }

  private forget(entry: Waiting): void {
    const index = this.waiting.indexOf(entry);
    if (index >= 0) this.waiting.splice(index, 1);
  }
}

const keyOf = ({ phase, sector }: Work): string => `${sector} ${phase}`;
const rankOf = (phase: PhaseId): number => PHASE_IDS.indexOf(phase);
