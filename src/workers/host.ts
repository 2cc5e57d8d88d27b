/** The activity workers of one config.toml: one for each queue that this host serves, over the slots of its pools. */
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type Deps } from '../activities/index.js';
import { hostIdentity } from '../attempts/processes.js';
import { EngineStarter } from '../attempts/start.js';
import type { Config, PoolConfig } from '../config.js';
import { controlQueue, phaseQueue, type SealActivities } from '../contract.js';
import { handBack } from '../errors.js';
import { PHASES, scaledTimes, TIMES, type PhaseId } from '../phases.js';
import { registerMount, type MountTimes } from '../mounts/mounts.js';
import type { Log } from '../telemetry.js';
import { VERSION } from '../version.js';
import { engineCpus } from './cores.js';
import { EngineWatch } from './engine-watch.js';
import { checkWritable, GroupMount, NotOfGroupError } from './group-directory.js';
import { nodesSeen } from './nodes.js';
import { Readiness, type Check } from './readiness.js';
import { holdsOneMore, lookForRoom } from './scratch.js';
import { SlotPool } from './slots.js';

export interface HostOptions {
  config: Config;
  namespace: string;
  /** A connection for each call: Temporal allows a queue once per connection, and a phase may be in several pools. */
  connect: () => Promise<NativeConnection>;
  engine: { command: string[]; environment: NodeJS.ProcessEnv };
  /** Why P4 cannot run here (no parameters), or undefined. */
  parametersMissing: Check;
  log: Log;
  signal: AbortSignal;
  onReady?: () => void;
  /** Factor of the times that this process itself keeps (deadlines of mounts); 1 if not given. */
  timeScale?: number;
  /** The real ones unless a bench or a test puts others in their place. */
  activities?: (deps: Deps) => SealActivities;
}

/**
 * Serves the phases of the config until the signal is aborted.
 * @throws UserError when the host is not set up for what its config says.
 */
export async function runHost(options: HostOptions): Promise<void> {
  const { config, log, signal, activities: create = createActivities } = options;
  const { mountQuick, mountSlow } = scaledTimes(options.timeScale ?? 1);
  registerMounts(options, { quickMs: mountQuick, slowMs: mountSlow });
  await checkWritable(config.localDir);
  const pools = config.pools.map((pool) => ({ ...pool, slots: new SlotPool(pool.slots) }));
  const mount = new GroupMount(config.localDir);
  const readiness = createReadiness(options, mount, () => pools.forEach(({ slots }) => slots.pump()));
  // Nothing that hangs keeps a worker from starting: what it stands against is just not served.
  const enough = sleep(2 * mountQuick, undefined, { signal, ref: false }).catch(() => undefined);
  await Promise.race([readiness.look(), enough]);
  const engines = new EngineStarter(options.engine);
  const engineWatch = new EngineWatch({
    localDir: config.localDir,
    self: await hostIdentity(config.ip),
    log,
    isMounted: () => isGroupDirectory(mount, config.groups),
    isWaitedFor: engines.isWaitedFor,
  });

  const connections: NativeConnection[] = [];
  const workers: Worker[] = [];
  try {
    for (const pool of pools) {
      const connection = await options.connect();
      connections.push(connection);
      const activities = create(await createDeps(options, mount, engines, pool.slots));
      for (const phase of servedPhases(config, pool, log)) {
        const tuner = tunerOf(pool.slots, () => readiness.isReady(phase));
        const activity = PHASES[phase].activity as keyof SealActivities;
        for (const group of config.groups) {
          const taskQueue = phaseQueue(group, config.size, phase);
          workers.push(await createWorker(options, connection, taskQueue, pick(activities, activity), tuner));
        }
      }
    }
    const connection = connections[0] ?? (await options.connect());
    const control = pick(
      create(await createDeps(options, mount, engines, new SlotPool(0))),
      'stopSector',
      'abortSector',
    );
    for (const group of config.groups) {
      workers.push(await createWorker(options, connection, controlQueue(group), control));
    }
    await runAll(workers, signal, () => {
      void readiness.keepLooking(Math.min(...config.pools.map(({ waitMs }) => waitMs)), signal);
      void engineWatch.keepLooking(signal);
      options.onReady?.();
    });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** What may be remote, and is touched by this process. */
function registerMounts({ config, engine, log }: HostOptions, times: MountTimes): void {
  const [program] = engine.command;
  const roots = [config.localDir, ...config.storageNodes, ...(program ? [dirname(program)] : [])];
  for (const root of roots) registerMount(root, times);
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  if (threads < 2 * roots.length + 4)
    log.warn(
      `UV_THREADPOOL_SIZE=${threads}: mounts that hang can stop this worker; it takes ${2 * roots.length + 4}`,
    );
}

function createReadiness(
  { config, parametersMissing, log }: HostOptions,
  mount: GroupMount,
  onChange: () => void,
) {
  const all = [...new Set(config.pools.flatMap(({ phases }) => phases))].sort();
  const groupSeen = async (): Promise<undefined> => {
    const opened = await Promise.allSettled(config.groups.map((group) => mount.open(group)));
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed && opened.every((result) => result.status === 'rejected')) throw failed.reason;
  };
  return new Readiness(
    {
      'the directory of the group': { phases: all, check: groupSeen },
      ...(all.includes('P4') && { 'proof parameters': { phases: ['P4'], check: once(parametersMissing) } }),
      ...nodesSeen(config.storageNodes, all),
    },
    log,
    onChange,
  );
}

const isGroupDirectory = async (mount: GroupMount, groups: readonly number[]): Promise<boolean> =>
  (await Promise.allSettled(groups.map((group) => mount.open(group)))).some(
    ({ status }) => status === 'fulfilled',
  );

/** Parameters that are there stay there: asked no more, as asking starts a process. */
function once(check: Check): Check {
  let good = false;
  return async () => {
    const reason = good ? undefined : await check();
    good = reason === undefined;
    return reason;
  };
}

/** Without storage nodes there is nowhere to copy to. */
function servedPhases(config: Config, pool: PoolConfig | { phases: PhaseId[] }, log: Log): PhaseId[] {
  const needNode: readonly PhaseId[] = ['P5', 'P6'];
  const left = pool.phases.filter((phase) => config.storageNodes.length === 0 && needNode.includes(phase));
  if (left.length > 0) log.warn(`${left.join(' ')} not served: config.toml names no storage-nodes`);
  return pool.phases.filter((phase) => !left.includes(phase));
}

async function createDeps(
  { config }: HostOptions,
  mount: GroupMount,
  engines: EngineStarter,
  slots: SlotPool,
): Promise<Deps> {
  const needCores: readonly PhaseId[] = ['P2', 'P3'];
  const onFewerCores = config.pools.some(({ phases }) => phases.some((phase) => needCores.includes(phase)));
  return {
    self: await hostIdentity(config.ip),
    worker: identityOf(config),
    version: VERSION,
    engines,
    storageNodes: config.storageNodes,
    copyLimitBytesPerSec: config.copyLimitBytesPerSec,
    groupDirectory: (group) =>
      mount.open(group).catch((error: unknown) => {
        if (!(error instanceof NotOfGroupError)) throw error;
        throw handBack('NotOfGroup', `${config.ip}: ${error.message}`, TIMES.noSlotMost);
      }),
    enterSlot: () => slots.enter(),
    hasRoom: async (group, size) => holdsOneMore(await lookForRoom(group), size),
    cores: onFewerCores ? engineCpus(config.engine.reserved_cores) : undefined,
  };
}

const pick = (activities: SealActivities, ...names: (keyof SealActivities)[]): Partial<SealActivities> =>
  Object.fromEntries(names.map((name) => [name, activities[name]]));

const identityOf = ({ ip }: Config): string => `${ip}#${process.pid}`;

function tunerOf(slots: SlotPool, open: () => boolean): WorkerOptions['tuner'] {
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  return {
    workflowTaskSlotSupplier: none,
    activityTaskSlotSupplier: slots.supplier(open),
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
    identity: identityOf(config),
    maxHeartbeatThrottleInterval: TIMES.heartbeatThrottle,
    // Running activities are told at once; they let go of their engines within milliseconds.
    shutdownForceTime: '30s',
    ...(tuner ? { tuner, activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 } as const } : {}),
  });

/** Runs the workers until the signal is aborted; when one fails, all are ended and its error is thrown. */
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
  const failed = (await Promise.allSettled(running)).find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
