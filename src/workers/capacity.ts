/** What this host can hold: slots of its pools, room in the group's directory, memory for P4, cores. */
import type { Work } from '../activities/deps.js';
import type { FoundEngine } from '../engines/find.js';
import type { Config, PoolConfig } from '../config.js';
import type { GroupDirectory } from '../paths.js';
import type { PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import { divideCores, type Cores } from './cores.js';
import type { Gauges } from './gauges.js';
import { P4Memory } from './memory.js';
import { RoomWatch } from './room-watch.js';
import { Scratch } from '../group/scratch.js';
import { SlotPool } from './slots.js';

export interface Pool extends PoolConfig {
  taken: SlotPool;
}

export interface CapacityOptions {
  config: Config;
  /** Of the engine. */
  environment: NodeJS.ProcessEnv;
  /** The groups' directories that this host sees at the moment. */
  openGroups: () => Promise<GroupDirectory[]>;
  gauges: Gauges | undefined;
  log: Log;
}

export class Capacity {
  readonly pools: readonly Pool[];
  readonly room: RoomWatch;
  readonly memory: P4Memory;
  /** CPUs of each phase's engines. */
  readonly cores: Cores;
  private engines: readonly FoundEngine[] = [];
  private readonly log: Log;
  private draining = false;
  private drained = false;

  /** @throws UserError when the cores do not suffice for what the config says */
  constructor({ config, environment, openGroups, gauges, log }: CapacityOptions) {
    this.log = log;
    this.cores = divideCores(config);
    this.memory = new P4Memory({
      size: config.size,
      environment,
      live: () => new Map(this.enginesOf('P4').map(({ sector, process }) => [sector, process.pid])),
    });
    this.pools = config.pools.map((pool) => {
      const name = pool.phases.join('+');
      const taken: SlotPool = new SlotPool(pool.slots, () => {
        gauges?.slots(name, taken.taken, pool.slots);
        this.logDrained();
      });
      return { ...pool, taken };
    });
    this.room = new RoomWatch({
      scratch: new Scratch(config.size),
      openGroups,
      atWork: () => new Set(this.enginesOf('P1').map(({ sector }) => sector)),
      gauges,
      log,
      onChange: () => this.recheck(),
    });
  }

  /** Asks anew who may poll. */
  recheck(): void {
    for (const { taken } of this.pools) taken.pump();
  }

  /** Looks at the room for new sectors. It is P1's alone, and to sum it up takes looks at every sector: others do not. */
  async refreshRoom(): Promise<void> {
    if (this.pools.some(({ phases }) => phases.includes('P1'))) await this.room.refresh();
    else this.recheck();
  }

  /** Takes nothing new any more; what is at work goes on. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    for (const { taken } of this.pools) taken.drain();
    this.log.info(`draining: takes nothing new; ${this.slotsTaken} at work`);
    this.logDrained();
  }

  private get slotsTaken(): number {
    return this.pools.reduce((sum, { taken }) => sum + taken.taken, 0);
  }

  private logDrained(): void {
    if (!this.draining || this.drained || this.slotsTaken > 0) return;
    this.drained = true;
    this.log.info('drained: nothing is at work');
  }

  /** Shows Temporal that this host is there, however full its pools are. */
  showPresence(): void {
    this.room.admitOneMore();
    for (const { taken } of this.pools) taken.showPresence();
  }

  /**
   * Tells which engines live on this host, and which of them no task waits for: each of these takes a slot of a pool of its
   * phase, of the one that counts it already, else of the first with a free one.
   */
  setEngines(live: readonly FoundEngine[], unwaited: readonly FoundEngine[]): void {
    this.engines = live;
    const shares = new Map<Pool, Work[]>(this.pools.map((pool) => [pool, []]));
    for (const { sector, attempt } of unwaited) {
      const work = { phase: attempt.phase, sector };
      const fitting = this.pools.filter(({ phases }) => phases.includes(work.phase));
      const pool =
        fitting.find(({ taken }) => taken.holds(work)) ??
        fitting.find((one) => (shares.get(one)?.length ?? 0) < one.slots) ??
        fitting[0];
      if (pool) shares.get(pool)?.push(work);
    }
    for (const [pool, works] of shares) pool.taken.setEngines(works);
  }

  private enginesOf = (phase: PhaseId): FoundEngine[] =>
    this.engines.filter(({ attempt }) => attempt.phase === phase);
}
