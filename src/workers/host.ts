/** The activity workers of one config.toml: one per queue that this host serves, sharing its pools' slots. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type Deps } from '../activities/index.js';
import { hostIdentity, startTimeOf, workerName } from '../engines/processes.js';
import { EngineStarter } from '../engines/start.js';
import type { Config } from '../config.js';
import { controlQueue, phaseQueue, type SealActivities } from '../contract.js';
import { registerMounts } from '../mounts/register.js';
import { PHASES, scaledTimes, TIMES, type PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import { VERSION } from '../version.js';
import { Capacity, type Pool } from './capacity.js';
import { DISK_SAMPLE_MS, disksOf, DiskWatch } from './disk-watch.js';
import { EngineWatch } from './engine-watch.js';
import { every } from './every.js';
import { createGauges } from './gauges.js';
import { checkWritable } from '../group/marker.js';
import type { ReadinessCheck } from './readiness.js';
import { servedPhases, HostReadiness, warnOfFewThreads } from './host-readiness.js';
import { SlotPool } from './slots.js';

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
  onReady?: () => void;
  /** Aborted to drain: no new tasks are accepted from then on. */
  drain?: AbortSignal;
  /** Scales the times of this process (mount deadlines, presence interval); default 1. */
  timeScale?: number;
  /** Replaces the activities in benchmarks and tests. */
  activities?: (deps: Deps) => SealActivities;
}

/** The parts of a host. */
interface Host {
  ready: HostReadiness;
  capacity: Capacity;
  engines: EngineStarter;
  diskWatch: DiskWatch;
}

/**
 * Serves the phases of the config until the signal is aborted.
 * @throws UserError when the host is not set up for its config
 */
export async function runHost(options: HostOptions): Promise<void> {
  const { config, log, signal } = options;
  const { mountQuick, mountSlow, presence } = scaledTimes(options.timeScale ?? 1);
  const mountTimes = { quickMs: mountQuick, slowMs: mountSlow };
  warnOfFewThreads(registerMounts(config, options.engine.command[0], mountTimes), log);
  await checkWritable(config.localDir);
  const ready = new HostReadiness({ ...options, onChange: () => capacity.recheck() });
  const capacity: Capacity = new Capacity({
    config,
    environment: options.engine.environment,
    openGroups: () => ready.openGroups(),
    gauges: config.metricsListen === undefined ? undefined : createGauges(),
    log,
  });
  options.drain?.addEventListener('abort', () => capacity.drain());
  const engines = new EngineStarter(options.engine);
  const engineWatch: EngineWatch = new EngineWatch({
    localDir: config.localDir,
    self: await hostIdentity(config.ip),
    log,
    isMounted: async () => (await ready.openGroups()).length > 0,
    isAwaited: engines.isAwaited,
    onInspected: () => capacity.setEngines(engineWatch.live, engineWatch.unwaited),
  });
  const diskWatch = new DiskWatch(disksOf(config.localDir));
  // Start even if a mount hangs: the phases that need it are not served until it answers.
  const startTimeout = sleep(2 * mountQuick, undefined, { signal, ref: false }).catch(() => undefined);
  const refresh = async (): Promise<void> => {
    await ready.readiness.refresh();
    await capacity.refreshRoom();
  };
  await Promise.race([Promise.all([refresh(), engineWatch.inspect()]), startTimeout]);

  const connections: NativeConnection[] = [];
  try {
    const workers = await createWorkers(options, { ready, capacity, engines, diskWatch }, connections);
    await runAll(workers, signal, () => {
      every(Math.min(...config.pools.map(({ waitMs }) => waitMs)), signal, refresh);
      every(presence, signal, () => capacity.showPresence());
      void engineWatch.keepInspecting(signal);
      if (serves(config, 'P1')) every(DISK_SAMPLE_MS, signal, () => diskWatch.sample());
      options.onReady?.();
    });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** @param connections receives each new connection, even if this function throws afterwards */
async function createWorkers(
  options: HostOptions,
  host: Host,
  connections: NativeConnection[],
): Promise<Worker[]> {
  const { config, log, activities: create = createActivities } = options;
  const workers: Worker[] = [];
  for (const pool of host.capacity.pools) {
    const connection = await options.connect();
    connections.push(connection);
    const activities = create(await createDeps(options, host, pool.taken));
    for (const phase of servedPhases(config, pool.phases, log)) {
      const tuner = tunerOf(pool, phase, host);
      const activity = pick(activities, PHASES[phase].activity as keyof SealActivities);
      for (const group of config.groups) {
        const taskQueue = phaseQueue(group, config.size, phase);
        workers.push(await createWorker(options, connection, taskQueue, activity, tuner));
      }
    }
  }
  const [connection] = connections as [NativeConnection];
  const control = create(await createDeps(options, host, new SlotPool(0)));
  for (const group of config.groups) {
    const activities = pick(control, 'stopSector', 'abortSector');
    workers.push(await createWorker(options, connection, controlQueue(group), activities));
  }
  return workers;
}

async function createDeps(
  { config }: HostOptions,
  { ready, capacity, engines, diskWatch }: Host,
  slots: SlotPool,
): Promise<Deps> {
  const { room, memory, cores } = capacity;
  const own = { pid: process.pid, startTime: startTimeOf(process.pid) };
  return {
    identity: {
      ...(await hostIdentity(config.ip)),
      worker: workerName(config.ip, own),
      version: VERSION,
    },
    engines,
    slots,
    scratch: {
      openGroup: (group) => ready.group.open(group),
      shortage: (group, sector) => room.shortage(group, sector),
      oneAtATime: (admit) => room.oneAtATime(admit),
      onRoomMade: () => void capacity.refreshRoom(),
      cleanAfter: config.cleanAfter,
    },
    nodes: {
      directories: config.storageNodes,
      check: ready.checkNode,
      verifyMounted: ready.verifyMounted,
      copyLimits: copyLimitsOf(config),
    },
    resources: {
      coresOf: (phase) => cores[phase],
      reserveMemory: (sector) => memory.reserve(sector),
      diskLoad: () => diskWatch.latest,
    },
  };
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
      phase === 'P1'
        ? { phase, isOpen: () => isReady() && room.isOpen(), onPoll: room.onPoll }
        : { phase, isOpen: isReady },
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

/** A tmpfs: state shared by running copies is useless after a reboot of the host. */
const SHARED_MEMORY = '/dev/shm';

function copyLimitsOf({
  copyLimitBytesPerSec,
  copyLimitTotalBytesPerSec,
}: Config): Deps['nodes']['copyLimits'] {
  const each = copyLimitBytesPerSec;
  if (copyLimitTotalBytesPerSec === 0) return { each };
  const directory = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir();
  const path = join(directory, `sealflow-copies-${process.getuid?.() ?? 0}`);
  return { each, shared: { limitBytesPerSec: copyLimitTotalBytesPerSec, path } };
}
