/** Gives each P1 engine cores of its own while it runs: a seat of the host's plan. */
import { cpusOf } from '../machine/topology.js';
import type { CorePlan } from './cores.js';
import { pinsOf, type Seat } from './seats.js';

/** Where an engine runs. */
export interface EngineCores {
  /** CPUs that it is pinned to; undefined: all. */
  cores?: readonly number[] | undefined;
  /** P1: threads that gather parents beside the one that hashes. */
  producers?: number | undefined;
}

/** A P1 engine of this host. */
interface P1Engine {
  sector: string;
  pid: number;
}

/** A job that names a seat has an engine before that, or none. */
const UNSEEN_MS = 60_000;

export class P1Seats {
  /** Seats that were given, by sector, until the engine's own CPUs can be read. */
  private readonly given = new Map<string, { seat: Seat; at: number }>();

  constructor(
    private readonly plan: CorePlan,
    /** The P1 engines that run now, also those that an earlier worker has started. */
    private readonly engines: () => Promise<P1Engine[]>,
    /** CPUs that a process may run on. */
    private readonly cpus: (pid: number) => readonly number[] | undefined = cpusOf,
  ) {}

  /** Takes the seat that the fewest engines have, which is none unless engines run that another plan has placed. */
  async take(sector: string): Promise<EngineCores> {
    const { seats, p1, producers } = this.plan;
    if (seats.length === 0) return { cores: p1, producers };
    const engines = await this.engines();
    // From here on nothing waits: two P1 that begin at once see each other's seat.
    const held = this.heldCpus(engines, performance.now());
    const loads = seats.map((seat) =>
      held.filter((cpus) => seat.some((core) => core.some((cpu) => cpus.includes(cpu)))),
    );
    const least = Math.min(...loads.map(({ length }) => length));
    const seat = seats[loads.findIndex(({ length }) => length === least)] as Seat;
    this.given.set(sector, { seat, at: performance.now() });
    return { cores: pinsOf(seat), producers: seat.length - 1 };
  }

  /** The CPUs of each engine that is pinned, and of each seat whose engine is about to pin itself. */
  private heldCpus(engines: readonly P1Engine[], now: number): (readonly number[])[] {
    const running = new Set<string>();
    const held = engines.flatMap(({ sector, pid }) => {
      const cpus = this.cpus(pid);
      if (cpus === undefined || cpus.length >= this.plan.allowed.length) return [];
      running.add(sector);
      return [cpus];
    });
    for (const [sector, { seat, at }] of this.given) {
      if (running.has(sector) || now - at > UNSEEN_MS) this.given.delete(sector);
      else held.push(seat.flat());
    }
    return held;
  }
}
