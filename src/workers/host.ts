/** The activity workers of one config.toml: one per queue that this host serves, sharing its pools' slots. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type Deps } from '../activities/index.js';
import { Journal } from '../activities/journal.js';
import { findEngines } from '../engines/find.js';
import { hostIdentity } from '../engines/processes.js';
import { EngineStarter } from '../engines/start.js';
import type { Config } from '../config.js';
import { CONTRACT_VERSION, controlQueue, phaseQueue, type SealActivities } from '../contract.js';
import type { ServingFacts } from '../host-statement.js';
import { registerMounts } from '../mounts/register.js';
import { PHASES, scaledTimes, TIMES, type PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import { VERSION } from '../version.js';
import { createDeps, type Host } from './activity-deps.js';
import { Capacity, type Pool } from './capacity.js';
import { DISK_SAMPLE_MS, disksOf, DiskWatch } from './disk-watch.js';
import { EngineWatch } from './engine-watch.js';
import { every } from './every.js';
import { createGauges } from './gauges.js';
import { Durations } from '../group/durations.js';
import { checkWritable } from '../group/marker.js';
import type { ReadinessCheck } from './readiness.js';
import { canServe, HostReadiness, warnOfFewThreads } from './host-readiness.js';
import { configuredPhases, Serving } from './serving.js';
import { OWN_VERSION } from './own-version.js';
import { SlotPool } from './slots.js';
import { ToldServer } from './told-server.js';

export interface HostOptions {
  config: Config;
  namespace: string;
  /** Opens a new connection: Temporal allows a queue once per connection, and a phase may be in several pools. */
  connect: () => Promise<NativeConnection>;
  engine: { command: string[]; environment: NodeJS.ProcessEnv };
  /** Returns why P4 cannot run here (no parameters), or undefined. */
  parametersMissing: ReadinessCheck;
  log: Log;
  signal: AbortSignal;
  /** Given what looks again at once at what this host may serve, `drained` included. */
  onLook?: (look: () => void) => void;
  /** Scales the times of this process (mount deadlines); default 1. */
  timeScale?: number;
  /** Replaces the activities in benchmarks and tests. */
  activities?: (deps: Deps) => SealActivities;
}

/**
 * Serves the phases of the config until the signal is aborted.
 * @throws UserError when the host is not set up for its config
 */
export async function runHost(options: HostOptions): Promise<void> {
  const { config, log, signal } = options;
  const { mountQuick, mountSlow } = scaledTimes(options.timeScale ?? 1);
  const mountTimes = { quickMs: mountQuick, slowMs: mountSlow };
  warnOfFewThreads(registerMounts(config, options.engine.command[0], mountTimes), log);
  await checkWritable(config.localDir);
  const gauges = config.metricsListen === undefined ? undefined : createGauges();
  const onChange = (): void => {
    capacity.recheck();
    serving.saySoon();
  };
  const ready = new HostReadiness({
    ...options,
    onChange,
    onDrained: (since) => capacity.setDrained(since),
  });
  const self = await hostIdentity(config.ip);
  const capacity: Capacity = new Capacity({
    config,
    findEngines: () => findEngines(config.localDir, self),
    environment: options.engine.environment,
    openGroups: () => ready.openGroups(),
    gauges,
    log,
    onChange: () => serving.saySoon(),
  });
  const facts = (): ServingFacts => ({
    configured: configuredPhases(config.pools),
    obstacles: ready.obstacles,
    drained: capacity.drained,
    noRoom: capacity.room.noRoom,
  });
  let told: ToldServer | undefined;
  const serving: Serving = new Serving({ ip: config.ip, facts, log, gauges, onSaid: () => told?.renew() });
  const engines = new EngineStarter(options.engine);
  const engineWatch: EngineWatch = new EngineWatch({
    localDir: config.localDir,
    self,
    log,
    isMounted: async () => (await ready.openGroups()).length > 0,
    isAwaited: engines.isAwaited,
    onInspected: () => capacity.setEngines(engineWatch.live, engineWatch.unwaited),
  });
  const durations = new Durations(config.ip);
  const diskWatch = new DiskWatch(disksOf(config.localDir));
  // Start even if a mount hangs: the phases that need it are not served until it answers.
  const startTimeout = sleep(2 * mountQuick, undefined, { signal, ref: false }).catch(() => undefined);
  const refreshDurations = async (): Promise<void> => {
    const [group] = await ready.openGroups();
    // What it takes is told with the rest, and nothing depends on it.
    if (group) await durations.needs(group, config.size).catch(() => undefined);
  };
  const refresh = async (): Promise<void> => {
    await ready.readiness.refresh();
    await capacity.refreshRoom();
    serving.say();
    await refreshDurations();
  };
  options.onLook?.(() => void refresh());
  await Promise.race([Promise.all([refresh(), engineWatch.inspect()]), startTimeout]);

  const connections: NativeConnection[] = [];
  const ended = new AbortController();
  try {
    const workers = await createWorkers(
      options,
      { ready, capacity, engines, diskWatch, journal: new Journal(log), durations },
      connections,
    );
    gauges?.renew();
    const own = { v: CONTRACT_VERSION, ip: config.ip, pid: process.pid, version: VERSION, size: config.size };
    told = new ToldServer({
      connection: connections[0] as NativeConnection,
      namespace: options.namespace,
      groups: config.groups,
      statement: () => ({
        ...own,
        ...facts(),
        pools: capacity.describePools(engineWatch.left),
        needs: durations.latest,
      }),
    });
    const telling = told.keepTelling(AbortSignal.any([signal, ended.signal]));
    await runAll(workers, signal, () => {
      every(Math.min(...config.pools.map(({ waitMs }) => waitMs)), signal, refresh);
      void engineWatch.keepInspecting(signal);
      if (serves(config, 'P1')) every(DISK_SAMPLE_MS, signal, () => diskWatch.sample());
      serving.begin();
    });
    await telling;
  } finally {
    ended.abort();
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** @param connections receives each new connection, even if this function throws afterwards */
async function createWorkers(
  options: HostOptions,
  host: Host,
  connections: NativeConnection[],
): Promise<Worker[]> {
  const { config, activities: create = createActivities } = options;
  const workers: Worker[] = [];
  for (const pool of host.capacity.pools) {
    const connection = await options.connect();
    connections.push(connection);
    const activities = create(await createDeps(config, host, pool.taken));
    for (const phase of pool.phases.filter((id) => canServe(config, id))) {
      const tuner = tunerOf(pool, phase, host);
      const activity = pick(activities, PHASES[phase].activity as keyof SealActivities);
      for (const group of config.groups) {
        const taskQueue = phaseQueue(group, config.size, phase);
        workers.push(await createWorker(options, connection, taskQueue, activity, tuner));
      }
    }
  }
  const [connection] = connections as [NativeConnection];
  const control = create(await createDeps(config, host, new SlotPool(0)));
  for (const group of config.groups) {
    const activities = pick(control, 'stopSector', 'abortSector');
    workers.push(await createWorker(options, connection, controlQueue(group), activities));
  }
  return workers;
}

const pick = (activities: SealActivities, ...names: (keyof SealActivities)[]): Partial<SealActivities> =>
  Object.fromEntries(names.map((name) => [name, activities[name]]));

const serves = ({ pools }: Config, phase: PhaseId): boolean =>
  pools.some(({ phases }) => phases.includes(phase));

const pollerIdentity = ({ ip }: Config): string => `${ip}#${process.pid}`;

function tunerOf({ taken }: Pool, phase: PhaseId, { ready, capacity }: Host): WorkerOptions['tuner'] {
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  const { room } = capacity;
  const isReady = (): boolean => ready.readiness.isReady(phase);
  return {
    workflowTaskSlotSupplier: none,
    activityTaskSlotSupplier: taken.supplier(
      phase === 'P1' ? { phase, isOpen: () => isReady() && room.isOpen() } : { phase, isOpen: isReady },
    ),
    localActivityTaskSlotSupplier: none,
    nexusTaskSlotSupplier: none,
  };
}

const createWorker = (
  { config, namespace }: HostOptions,
  connection: NativeConnection,
  taskQueue: string,
  activities: Partial<SealActivities>,
  tuner?: WorkerOptions['tuner'],
): Promise<Worker> =>
  Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    identity: pollerIdentity(config),
    workerDeploymentOptions: OWN_VERSION,
    maxHeartbeatThrottleInterval: TIMES.heartbeatThrottle,
    // Running activities are cancelled at once and release their engines within milliseconds.
    shutdownForceTime: '30s',
    // For the control queue too: by default the SDK keeps ten polls open.
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
    ...(tuner ? { tuner } : {}),
  });

/** Runs the workers until the signal is aborted. If one fails, shuts all down and throws its error. */
async function runAll(workers: Worker[], signal: AbortSignal, onReady: () => void): Promise<void> {
  const shutDown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', shutDown, { once: true });
  const running = workers.map((worker) =>
    worker.run().catch((error: unknown) => {
      shutDown();
      throw error;
    }),
  );
  onReady();
  if (signal.aborted) shutDown();
  const failed = (await Promise.allSettled(running)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
