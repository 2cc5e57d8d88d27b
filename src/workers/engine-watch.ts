/**
 * Watches all engines of this host from the worker's start on, including those that no activity waits for.
 * Terminates engines that hang, and superseded ones that do not notice. Finds engines by their command lines,
 * so a scan costs nothing on the mount, however many sectors it holds.
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
import { Pace } from './pace.js';

export interface EngineWatchOptions {
  localDir: string;
  self: HostIdentity;
  log: Log;
  /** Whether the group's directory is usable. If it is not, a missing name proves nothing. */
  isMounted: () => Promise<boolean>;
  /** Whether an activity of this worker waits for the attempt; it then handles a hung engine itself. */
  isAwaited: (directory: string) => boolean;
  /** Called after each scan. */
  onInspected?: () => void;
  times?: Times;
}

interface Watched {
  meter: WorkMeter;
  pace: Pace;
  /** Undefined until it has been read. */
  job?: Awaited<ReturnType<typeof readJob>>;
  /** When it was first found superseded, in ms of this process' clock. */
  supersededSince?: number;
  /** The last message logged about it. */
  lastLogged?: string;
}

export class EngineWatch {
  private readonly watched = new Map<string, Watched>();
  private readonly times: Times;

  constructor(private readonly options: EngineWatchOptions) {
    this.times = options.times ?? TIMES;
  }

  /** Engines that work in local_dir on this host, as of the last scan. */
  live: FoundEngine[] = [];
  /** Those of them that no activity waits for, neither here nor in another live worker of this host. */
  unwaited: FoundEngine[] = [];

  /** How long, in ms, each of them will take, if that can be told. */
  get left(): { phase: EnginePhaseId; ms: number }[] {
    return this.live.flatMap((engine) => {
      const ms = this.watchedOf(engine).pace.left();
      return ms === undefined ? [] : [{ phase: engine.attempt.phase, ms }];
    });
  }

  async keepInspecting(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.inspect().catch((error: unknown) =>
        this.options.log.warn(`engines of this host: ${(error as Error).message}`),
      );
      await sleep(this.times.engineWatch, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async inspect(): Promise<void> {
    const { localDir, self, isAwaited } = this.options;
    const found = await findEngines(localDir, self);
    // Engines of a second host on this machine (another `ip`) are left to that host's worker.
    const foreign = await Promise.all(found.map((engine) => this.isForeign(engine)));
    const engines = found.filter((_, i) => !foreign[i]);
    const keys = new Set(found.map(keyOf));
    for (const key of this.watched.keys()) if (!keys.has(key)) this.watched.delete(key);
    const elsewhere = await Promise.all(engines.map((engine) => this.isOfAnotherWorker(engine)));
    // One that has ended meanwhile is awaited no longer, and holds no slot: to count it would fill the pool, and ask the queue for its
    // task; another's would come, and lose its place.
    this.live = engines.filter(({ process: engine }) => isAlive(engine));
    this.unwaited = this.live.filter(
      (engine) => !elsewhere[engines.indexOf(engine)] && !isAwaited(engine.attempt.directory),
    );
    this.options.onInspected?.();
    await Promise.all(
      this.live.map((engine) =>
        this.judge(engine).catch((error: unknown) => this.logUncheckable(engine, error)),
      ),
    );
  }

  private watchedOf(engine: FoundEngine): Watched {
    const watched = this.watched.get(keyOf(engine)) ?? {
      meter: new WorkMeter(performance.now()),
      pace: new Pace(),
    };
    this.watched.set(keyOf(engine), watched);
    return watched;
  }

  private async isForeign(engine: FoundEngine): Promise<boolean> {
    const watched = this.watchedOf(engine);
    // judge() reports a job that cannot be read; until it can be read the engine counts as this host's.
    watched.job ??= await readJob(engine.attempt).catch(() => undefined);
    return watched.job !== undefined && watched.job.madeBy.host !== this.options.self.host;
  }

  /** Whether another worker of this host, still alive, has started or adopted it. */
  private async isOfAnotherWorker({ attempt }: FoundEngine): Promise<boolean> {
    if (this.options.isAwaited(attempt.directory)) return false;
    const worker = workerProcess((await waitingWorker(attempt)) ?? '');
    return worker !== undefined && worker.pid !== process.pid && isAlive(worker);
  }

  /** An engine that cannot be checked (newer sealflow, unreadable file) must not block checks of the others. */
  private logUncheckable(engine: FoundEngine, error: unknown): void {
    this.logOnce(engine, this.watchedOf(engine), `cannot be checked: ${(error as Error).message}`);
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
      watched.pace.record(progress?.fraction ?? null, now);
    } catch (error) {
      if (!(error instanceof MountHungError)) throw error;
      return watched.meter.restart(now);
    }
    if (await this.wasSuperseded(engine)) {
      watched.supersededSince ??= now;
      const graceMs = this.times.engineLease + this.times.terminateGrace;
      if (now - watched.supersededSince >= graceMs) await this.end(engine, watched, 'was superseded');
      return;
    }
    watched.supersededSince = undefined;
    // 1.5: an activity that waits for it, here or in another worker of this host, gets time to terminate it first.
    const waited = this.options.isAwaited(attempt.directory);
    if (!waited && watched.meter.idleFor(now) >= hangMs * 1.5) await this.end(engine, watched, 'hangs');
    else if (!waited)
      this.logOnce(engine, watched, 'is at work; no activity of this worker waits for it yet');
  }

  private async wasSuperseded({ attempt }: FoundEngine): Promise<boolean> {
    return (await isSuperseded(attempt.directory)) && (await this.options.isMounted());
  }

  private async end(engine: FoundEngine, watched: Watched, reason: string): Promise<void> {
    this.logOnce(engine, watched, `${reason}: terminating it`);
    if (await terminate(engine.process, this.times.terminateGrace)) return;
    const stuck = isUninterruptible(engine.process);
    this.logOnce(
      engine,
      watched,
      `${reason} and cannot be terminated${stuck ? ': it is in uninterruptible sleep (D)' : ''}`,
    );
  }

  private logOnce({ sector, attempt, process: { pid } }: FoundEngine, watched: Watched, state: string): void {
    if (watched.lastLogged === state) return;
    watched.lastLogged = state;
    this.options.log.info(`${sector} ${attempt.at}: engine ${pid} ${state}`);
  }
}

const keyOf = ({ process: { pid, startTime } }: FoundEngine): string => `${pid} ${startTime}`;

/** Hang limit in ms for jobs that set none. */
const longestHang = (phase: EnginePhaseId): number =>
  Math.max(...Object.values(PHASES[phase].hangMinutes)) * 60_000;
