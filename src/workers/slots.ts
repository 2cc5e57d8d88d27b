/** A pool of slots shared by several queues. Runs at most `size` tasks, and polls later phases first. */
import type { ActivitySlotInfo, CustomSlotSupplier, SlotReserveContext } from '@temporalio/worker';
import type { Patience, Slot, Work } from '../activities/deps.js';
import { PHASE_IDS, type PhaseId } from '../phases.js';

/** How long, in ms, an unused permit counts against the pool; a task that is already queued arrives within it. */
const PROBE_MS = 50;

/** A full pool polls this often, in ms, for the tasks of engines that no task waits for. */
const ADOPT_MS = 1000;

/** A queue whose tasks take slots of the pool. */
export interface PooledQueue {
  phase: PhaseId;
  /** Whether it may currently be polled. */
  isOpen?: () => boolean;
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
 * Temporal reserves a permit *before* it polls, so permits cannot be slots: idle queues would hold them all.
 * Permits are therefore granted one by one while a slot is free, with at most one unused permit per queue. The
 * slot itself is taken when the task starts (`enter`). A task that finds the pool full is handed back.
 *
 * A running engine that no task waits for (its worker was restarted) also holds a slot. That slot admits only
 * the task of the engine's own sector, and the queue is polled for it even when the pool is full.
 */
export class SlotPool {
  /** Running tasks: sector and phase of each. */
  private readonly tasks = new Map<object, string>();
  /** Running engines that no task waits for. */
  private engines = new Map<string, Work>();
  private probing = 0;
  /** Permits of tasks that have come and not ended, by the SDK's word. */
  private running = 0;
  private drained = false;
  private readonly waiting: Waiting[] = [];
  /** Tasks that wait for a slot. */
  private inside: { work: Work; take: (slot?: Slot) => void }[] = [];
  /** Queues with a permit that no task has used yet. */
  private readonly unused = new Set<string>();
  /**
   * When a queue was last polled for an engine's own task although the pool was full, in ms of this process'
   * clock.
   */
  private readonly lastAdoptionPoll = new Map<string, number>();

  constructor(
    readonly size: number,
    private readonly onChange: () => void = () => undefined,
  ) {}

  /** Slots taken by tasks and by engines without one. Exceeds `size` after the configured size was lowered. */
  get taken(): number {
    return this.tasks.size + this.engines.size;
  }

  /** Whether the pool counts this work as an engine that no task waits for. */
  holds = (work: Work): boolean => this.engines.has(keyOf(work));

  /** Takes a slot: the one of the sector's own engine, or a free one. @returns undefined when all are taken */
  enter(work: Work): Slot | undefined {
    const key = keyOf(work);
    if (!this.engines.has(key) && (this.drained || this.taken >= this.size)) return undefined;
    if (this.engines.delete(key)) this.lastAdoptionPoll.clear();
    const task = {};
    this.tasks.set(task, key);
    this.onChange();
    const leave = (): boolean => this.tasks.delete(task);
    return {
      leave: () => {
        if (leave()) this.pump();
      },
      leaveToEngine: () => {
        // Another task may have taken it over already.
        if (leave() && ![...this.tasks.values()].includes(key)) this.engines.set(key, work);
        this.pump();
      },
    };
  }

  /**
   * Like {@link enter}, but waits when the pool is full: the poll that brought the task was open before the last slot was taken,
   * and cannot be taken back. A short phase soon makes room, and a hand-back looks like a failure to people.
   */
  async enterWithin(work: Work, { ms, signal }: Patience): Promise<Slot | undefined> {
    const slot = this.enter(work);
    if (slot || this.drained || signal.aborted) return slot;
    return await new Promise((resolve) => {
      const end = (found?: Slot): void => {
        this.inside = this.inside.filter((other) => other !== entry);
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(found);
      };
      const giveUp = (): void => end();
      const entry = { work, take: end };
      const timer = setTimeout(giveUp, ms);
      signal.addEventListener('abort', giveUp);
      this.inside.push(entry);
    });
  }

  /** Gives free slots to the tasks that are here already, later phases first, before more are asked for. */
  private admit(): void {
    const inOrder = [...this.inside].sort((a, b) => rankOf(b.work.phase) - rankOf(a.work.phase));
    for (const { work, take } of inOrder) {
      const slot = this.enter(work);
      if (slot || this.drained) take(slot);
    }
  }

  /** Sets the running engines that no task waits for. Those whose task has arrived since are not counted twice. */
  setEngines(engines: readonly Work[]): void {
    const withTask = new Set(this.tasks.values());
    const without = engines.filter((work) => !withTask.has(keyOf(work)));
    this.engines = new Map(without.map((work) => [keyOf(work), work]));
    this.pump();
  }

  /** A drained pool accepts only the tasks of its own engines. Such a task must not start another one. */
  setDrained(drained: boolean): void {
    this.drained = drained;
    this.pump();
  }

  isDrained = (): boolean => this.drained;

  supplier({ phase, isOpen = () => true }: PooledQueue): CustomSlotSupplier<ActivitySlotInfo> {
    return {
      type: 'custom',
      reserveSlot: ({ taskQueue }: SlotReserveContext, signal: AbortSignal) =>
        // At shutdown the promise stays pending on purpose: the SDK logs any rejection as an error.
        new Promise<Permit>((grant) => {
          const entry = { queue: taskQueue, phase, isOpen, grant };
          if (signal.aborted) return;
          this.enqueue(entry);
          signal.addEventListener('abort', () => this.dequeue(entry));
          this.pump();
        }),
      tryReserveSlot: () => null,
      markSlotUsed: ({ permit }) => this.arrive(permit as unknown as Permit),
      releaseSlot: ({ permit }) => this.release(permit as unknown as Permit),
    };
  }

  /**
   * Grants permits to all queues that may be polled. Call it when something that `isOpen` depends on has
   * changed.
   */
  pump(): void {
    this.onChange();
    this.admit();
    for (;;) {
      const hasFree = !this.drained && this.probing + this.between < this.size - this.taken;
      const next = this.waiting.find(
        (entry) => !this.unused.has(entry.queue) && entry.isOpen() && (hasFree || this.mayAdopt(entry)),
      );
      if (!next) return;
      if (!hasFree) this.recordAdoptionPoll(next);
      this.grant(next);
    }
  }

  private grant(entry: Waiting): void {
    this.dequeue(entry);
    this.unused.add(entry.queue);
    this.probing += 1;
    entry.grant({ queue: entry.queue, unused: true });
    setTimeout(() => {
      this.probing -= 1;
      this.pump();
    }, PROBE_MS).unref();
  }

  /**
   * Whether the queue may be polled for an engine's own task. Limited to one poll per ADOPT_MS, because other
   * sectors' tasks arrive too and have to be handed back.
   */
  private mayAdopt({ phase, queue }: Waiting): boolean {
    const since = performance.now() - (this.lastAdoptionPoll.get(queue) ?? -Infinity);
    return since >= ADOPT_MS && [...this.engines.values()].some((engine) => engine.phase === phase);
  }

  private recordAdoptionPoll({ queue }: Waiting): void {
    this.lastAdoptionPoll.set(queue, performance.now());
    setTimeout(() => this.pump(), ADOPT_MS).unref();
  }

  private arrive(permit: Permit): void {
    this.running += 1;
    this.use(permit);
  }

  private release(permit: Permit): void {
    if (permit.unused) return this.use(permit);
    this.running -= 1;
    this.pump();
  }

  /**
   * Tasks that have come and not entered yet, or left and not been reported yet. To poll meanwhile would take one that there is
   * no slot for: handed back, it loses its place in the queue. None, if a task has entered before the SDK said that it came.
   */
  private get between(): number {
    return Math.max(0, this.running - this.tasks.size);
  }

  private use(permit: Permit): void {
    if (!permit.unused) return;
    permit.unused = false;
    this.unused.delete(permit.queue);
    this.pump();
  }

  /** Orders by later phases first, so that sectors finish and free their scratch; FIFO within a phase. */
  private enqueue(entry: Waiting): void {
    const next = this.waiting.findIndex(({ phase }) => rankOf(phase) < rankOf(entry.phase));
    this.waiting.splice(next < 0 ? this.waiting.length : next, 0, entry);
  }

  private dequeue(entry: Waiting): void {
    const index = this.waiting.indexOf(entry);
    if (index >= 0) this.waiting.splice(index, 1);
  }
}

const keyOf = ({ phase, sector }: Work): string => `${sector} ${phase}`;
const rankOf = (phase: PhaseId): number => PHASE_IDS.indexOf(phase);
