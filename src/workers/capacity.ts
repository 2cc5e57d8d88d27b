/** The capacity of this host: pool slots, room in the group's directory, memory for P4, cores. */
import type { Work } from '../activities/deps.js';
import type { FoundEngine } from '../engines/find.js';
import type { Config, PoolConfig } from '../config.js';
import type { HostStatement } from '../host-statement.js';
import type { GroupDirectory } from '../paths.js';
import type { PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import { planCores, type CorePlan } from './cores.js';
import type { Gauges } from './gauges.js';
import { P4Memory } from './memory.js';
import { P1Seats } from './p1-seats.js';
import { RoomWatch } from './room-watch.js';
import { Scratch } from '../group/scratch.js';
import { SlotPool } from './slots.js';

export interface Pool extends PoolConfig {
  taken: SlotPool;
}

export interface CapacityOptions {
  config: Config;
  /** The engine's environment. */
  environment: NodeJS.ProcessEnv;
  /** The engines that run on this host now. */
  findEngines: () => Promise<FoundEngine[]>;
  /** The group directories that are currently usable on this host. */
  openGroups: () => Promise<GroupDirectory[]>;
  gauges: Gauges | undefined;
  log: Log;
  /** Called when what the host takes may have changed. */
  onChange?: () => void;
}

export class Capacity {
  readonly pools: readonly Pool[];
  readonly room: RoomWatch;
  readonly memory: P4Memory;
  /** CPUs of each phase's engines. */
  readonly cores: CorePlan;
  readonly seats: P1Seats;
  private engines: readonly FoundEngine[] = [];
  private readonly log: Log;
  private drainedAt: Date | undefined;
  private isIdle = true;

  /** @throws UserError when this host has too few cores for the config */
  constructor({ config, environment, findEngines, openGroups, gauges, log, onChange }: CapacityOptions) {
    this.log = log;
    this.cores = planCores(config);
    this.seats = new P1Seats(this.cores, async () =>
      (await findEngines())
        .filter(({ attempt }) => attempt.phase === 'P1')
        .map(({ sector, process }) => ({ sector, pid: process.pid })),
    );
    this.memory = new P4Memory({
      size: config.size,
      environment,
      live: () => new Map(this.enginesOf('P4').map(({ sector, process }) => [sector, process.pid])),
    });
    this.pools = config.pools.map((pool) => {
      const name = pool.phases.join('+');
      const taken: SlotPool = new SlotPool(pool.slots, () => {
        gauges?.slots(name, taken.taken, pool.slots);
        this.logIdle();
      });
      return { ...pool, taken };
    });
    this.room = new RoomWatch({
      scratch: new Scratch(config.size),
      openGroups,
      atWork: () => new Set(this.enginesOf('P1').map(({ sector }) => sector)),
      gauges,
      log,
      onChange: () => {
        this.recheck();
        onChange?.();
      },
    });
  }

  /** Re-evaluates which queues may be polled. */
  recheck(): void {
    for (const { taken } of this.pools) taken.pump();
  }

  /** Measures the room for new sectors; it reads every sector, so a host without P1 skips it. */
  async refreshRoom(): Promise<void> {
    if (this.pools.some(({ phases }) => phases.includes('P1'))) await this.room.refresh();
    else this.recheck();
  }

  /** Since when the host is drained: it takes nothing but what its own engines need. */
  get drained(): Date | undefined {
    return this.drainedAt;
  }

  setDrained(since: Date | undefined): void {
    if (since?.getTime() === this.drainedAt?.getTime()) return;
    this.drainedAt = since;
    this.isIdle = false;
    for (const { taken } of this.pools) taken.setDrained(since !== undefined);
    this.logIdle();
  }

  private logIdle(): void {
    if (!this.drainedAt || this.isIdle || this.pools.some(({ taken }) => taken.taken > 0)) return;
    this.isIdle = true;
    this.log.info('drained, and nothing is at work');
  }

  /** The pools as the host tells of them. @param left ms until each engine of this host is expected to end, by its phase */
  describePools(left: readonly { phase: PhaseId; ms: number }[]): HostStatement['pools'] {
    return this.pools.map(({ phases, slots, taken: { taken } }) => {
      const ends = left.filter(({ phase }) => phases.includes(phase)).map(({ ms }) => Date.now() + ms);
      const isFull = taken >= slots && ends.length > 0;
      return { phases, slots, taken, ...(isFull && { freeAbout: new Date(Math.min(...ends)) }) };
    });
  }

  /**
   * Sets the engines that run on this host. Each one that no task waits for takes a slot in a pool of its
   * phase: in the pool that counts it already, otherwise in the first pool with a free slot.
   * @param live all engines of this host
   * @param unwaited those of them that no task waits for
   */
  setEngines(live: readonly FoundEngine[], unwaited: readonly FoundEngine[]): void {
    this.engines = live;
    const shares = new Map<Pool, Work[]>(this.pools.map((pool) => [pool, []]));
    for (const { sector, attempt } of unwaited) {
      const work = { phase: attempt.phase, sector };
      const fitting = this.pools.filter(({ phases }) => phases.includes(work.phase));
      const pool =
        fitting.find(({ taken }) => taken.holds(work)) ??
        fitting.find((candidate) => (shares.get(candidate)?.length ?? 0) < candidate.slots) ??
        fitting[0];
      if (pool) shares.get(pool)?.push(work);
    }
    for (const [pool, works] of shares) pool.taken.setEngines(works);
  }

  private enginesOf = (phase: PhaseId): FoundEngine[] =>
    this.engines.filter(({ attempt }) => attempt.phase === phase);
}
