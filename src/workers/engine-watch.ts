/**
 * This host's engines, watched from the worker's start on, also those that no activity waits for: one that hangs is ended,
 * and so is one that was superseded and does not notice. They are found by their command lines, so that looking costs
 * nothing on the mount, however many sectors lie there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitingWorker } from '../sector-directory/adoption.js';
import { readJob } from '../sector-directory/attempt.js';
import { findEngines, type FoundEngine } from '../engines/find.js';
import { isSuperseded } from '../sector-directory/lease.js';
import {
  isAlive,
  isUninterruptible,
  terminate,
  workerProcess,
  type HostIdentity,
} from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';
import { WorkMeter } from '../engines/work-meter.js';
import { MountHungError } from '../mounts/mounts.js';
import { PHASES, TIMES, type EnginePhaseId, type Times } from '../phases.js';
import type { Log } from '../telemetry.js';

export interface EngineWatchOptions {
  localDir: string;
  self: HostIdentity;
  log: Log;
  /** Whether the group's directory is in order: where it is not, a missing name says nothing. */
  isMounted: () => Promise<boolean>;
  /** Whether an activity of this worker waits for the attempt: then it ends an engine that hangs, and tells the workflow. */
  isWaitedFor: (directory: string) => boolean;
  /** Told after each look. */
  onInspected?: () => void;
  times?: Times;
}

interface Watched {
  meter: WorkMeter;
  /** Undefined until it can be read. */
  job?: Awaited<ReturnType<typeof readJob>>;
  /** Since when it is seen to be superseded, in ms of this process' clock. */
  supersededSince?: number;
  /** The last that was logged of it. */
  lastLogged?: string;
}

export class EngineWatch {
  private readonly watched = new Map<string, Watched>();
  private readonly times: Times;

  constructor(private readonly options: EngineWatchOptions) {
    this.times = options.times ?? TIMES;
  }

  /** Engines at work in local_dir on this machine, as of the last look. */
  live: FoundEngine[] = [];
  /** Those of them that no activity waits for, here or in another worker of this host that has begun them. */
  unwaited: FoundEngine[] = [];

  async keepInspecting(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.inspect().catch((error: unknown) =>
        this.options.log.warn(`engines of this host: ${(error as Error).message}`),
      );
      await sleep(this.times.engineWatch, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async inspect(): Promise<void> {
    const { localDir, self, isWaitedFor } = this.options;
    const found = await findEngines(localDir, self);
    // Those of a second host on this machine (another `ip`) are its own worker's to judge.
    const foreign = await Promise.all(found.map((engine) => this.isForeign(engine)));
    const engines = found.filter((_, i) => !foreign[i]);
    const keys = new Set(found.map(keyOf));
    for (const key of this.watched.keys()) if (!keys.has(key)) this.watched.delete(key);
    this.live = engines;
    const elsewhere = await Promise.all(engines.map((engine) => this.isOfAnotherWorker(engine)));
    this.unwaited = engines.filter(({ attempt }, i) => !elsewhere[i] && !isWaitedFor(attempt.directory));
    this.options.onInspected?.();
    await Promise.all(
      engines.map((engine) => this.judge(engine).catch((error: unknown) => this.cannotJudge(engine, error))),
    );
  }

  private watchedOf(engine: FoundEngine): Watched {
    const watched = this.watched.get(keyOf(engine)) ?? { meter: new WorkMeter(performance.now()) };
    this.watched.set(keyOf(engine), watched);
    return watched;
  }

  private async isForeign(engine: FoundEngine): Promise<boolean> {
    const watched = this.watchedOf(engine);
    // A job that cannot be read at the moment is told by judge(); until then the engine counts as this host's.
    watched.job ??= await readJob(engine.attempt).catch(() => undefined);
    return watched.job !== undefined && watched.job.madeBy.host !== this.options.self.host;
  }

  /** Whether another worker of this host has begun or adopted it, and lives. */
  private async isOfAnotherWorker({ attempt }: FoundEngine): Promise<boolean> {
    if (this.options.isWaitedFor(attempt.directory)) return false;
    const worker = workerProcess((await waitingWorker(attempt)) ?? '');
    return worker !== undefined && worker.pid !== process.pid && isAlive(worker);
  }

  /** One that cannot be judged (a newer sealflow's, a file that cannot be read) must not hide the others. */
  private cannotJudge(engine: FoundEngine, error: unknown): void {
    this.logOnce(engine, this.watchedOf(engine), `cannot be judged: ${(error as Error).message}`);
  }

  private async judge(engine: FoundEngine): Promise<void> {
    const { attempt } = engine;
    const now = performance.now();
    const watched = this.watchedOf(engine);
    let hangMs = Infinity;
    try {
      watched.job ??= await readJob(attempt);
      if (watched.job) hangMs = watched.job.hangMs ?? longestHang(attempt.phase);
      const progress = await readProgress(attempt.directory);
      if (progress) watched.meter.record(progress, hangMs, now);
    } catch (error) {
      if (!(error instanceof MountHungError)) throw error;
      return watched.meter.restart(now);
    }
    if (await this.isOvertaken(engine)) {
      watched.supersededSince ??= now;
      const patience = this.times.engineLease + this.times.terminateGrace;
      if (now - watched.supersededSince >= patience) await this.end(engine, watched, 'was superseded');
      return;
    }
    watched.supersededSince = undefined;
    // The activity that waits for it, here or in another worker of this host, is given the time to do so itself.
    const waited = this.options.isWaitedFor(attempt.directory);
    if (!waited && watched.meter.idleFor(now) >= hangMs * 1.5) await this.end(engine, watched, 'hangs');
    else if (!waited)
      this.logOnce(engine, watched, 'is at work; no activity of this worker waits for it yet');
  }

  private async isOvertaken({ attempt }: FoundEngine): Promise<boolean> {
    return (await isSuperseded(attempt.directory)) && (await this.options.isMounted());
  }

  private async end(engine: FoundEngine, watched: Watched, why: string): Promise<void> {
    this.logOnce(engine, watched, `${why} and is ended`);
    if (await terminate(engine.process, this.times.terminateGrace)) return;
    const stuck = isUninterruptible(engine.process);
    this.logOnce(
      engine,
      watched,
      `${why} and cannot be ended${stuck ? ': it is in uninterruptible sleep (D)' : ''}`,
    );
  }

  private logOnce({ sector, attempt, process: { pid } }: FoundEngine, watched: Watched, what: string): void {
    if (watched.lastLogged === what) return;
    watched.lastLogged = what;
    this.options.log.info(`${sector} ${attempt.at}: engine ${pid} ${what}`);
  }
}

const keyOf = ({ process: { pid, startTime } }: FoundEngine): string => `${pid} ${startTime}`;

/** For jobs that do not say. */
const longestHang = (phase: EnginePhaseId): number =>
  Math.max(...Object.values(PHASES[phase].hangMinutes)) * 60_000;
