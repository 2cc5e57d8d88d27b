/** A host in a temporary directory: a group's directory, a storage node, a worker's activities, and the test engine. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { ApplicationFailure } from '@temporalio/common';
import { onTestFinished } from 'vitest';
import { createActivities, type Deps } from '../../src/activities/index.js';
import { Journal } from '../../src/activities/journal.js';
import { hostIdentity } from '../../src/engines/processes.js';
import { MountGuard } from '../../src/mounts/guard.js';
import { EngineStarter } from '../../src/engines/start.js';
import {
  CONTRACT_VERSION,
  type CleanInput,
  type CleanResult,
  type PhaseInput,
  type PhaseResult,
  type ResultRef,
  type SealActivities,
  type SealInput,
} from '../../src/contract.js';
import { exists } from '../../src/files.js';
import type { HeartbeatDetails } from '../../src/heartbeat.js';
import { groupDirectories, sectorDir, type OpenGroup } from '../../src/paths.js';
import { DEPENDS_ON, ENGINE_PHASE_IDS, PHASES, type EnginePhaseId } from '../../src/phases.js';
import { sectorOf } from '../../src/sector.js';
import { ENGINE, engineRuns, killEngines, type EngineRun } from './engine.js';
import { keepTemplate, takeTemplate } from './sealed-template.js';
import { temporaryDirectory } from './temporary.js';

export const HOST = '10.0.0.1';
export const NODE = '10.10.4.23';
export const RUN_ID = '11111111-2222-4333-8444-555555555555';
export const OTHER_RUN_ID = '66666666-7777-4888-8999-aaaaaaaaaaaa';

/** How a task is offered to an activity. */
export interface Offer {
  runId?: string;
  /** 1, 2, … by Temporal's count. */
  attempt?: number;
  /** What the offer before has left. */
  heartbeatDetails?: HeartbeatDetails;
  /** Server time of this offer. */
  now?: number;
}

/** Members of the parts of {@link Deps} that a test puts in the place of the usual ones. */
export type DepsChanges = { [Part in keyof Deps]?: Partial<Deps[Part]> };

const changed = (deps: Deps, changes: DepsChanges): Deps =>
  Object.fromEntries(
    Object.entries(deps).map(([part, members]) => {
      const own = changes[part as keyof Deps];
      // Spreading would lose the methods of a class.
      return [
        part,
        own ? Object.assign(Object.create(members as object) as object, own) : (members as object),
      ];
    }),
  ) as unknown as Deps;

export interface Running<T> {
  env: MockActivityEnvironment;
  done: Promise<T>;
  heartbeats: HeartbeatDetails[];
}

const USUAL: SealInput = {
  v: CONTRACT_VERSION,
  sector: 't01000/7',
  size: '2KiB',
  group: 1,
  ticket: 'aa'.repeat(32),
  seed: 'bb'.repeat(32),
  timeScale: 0.05,
};

export class TestHost {
  readonly group: OpenGroup;
  readonly node: string;
  /** FIXTURE_CHECKPOINTS of the engines. */
  readonly checkpoints: string;
  seal: SealInput = USUAL;
  /** Of the phases that {@link seals} has run. */
  results: Partial<Record<EnginePhaseId, PhaseResult>> = {};

  private readonly tasks: { env: MockActivityEnvironment; done: Promise<unknown> }[] = [];

  constructor(
    readonly root: string,
    readonly deps: Deps,
    readonly environment: NodeJS.ProcessEnv,
    /** What its journal says. */
    readonly logged: string[],
    /** Its engines behave. */
    private readonly isUsual: boolean,
  ) {
    this.group = {
      root: join(root, 'local'),
      subdirectory: NODE,
      id: '3f1b8f0a-7d0e-4f6e-9a53-0f2c5d6b7a81',
    };
    this.node = join(root, 'nodes', NODE);
    this.checkpoints = join(root, 'checkpoints');
  }

  get directory(): string {
    return sectorDir(this.group, sectorOf(this.seal.sector));
  }

  /** The file of an attempt: `path('1/P2-1', 'sealed')`. */
  path(at: string, ...names: string[]): string {
    return join(this.directory, at, ...names);
  }

  /** From here on what is not seen is soon taken to be gone. Too short for engines, which need a while to start. */
  hurry(): void {
    this.seal = { ...this.seal, timeScale: 0.002 };
  }

  input(phase: EnginePhaseId, changes: Partial<PhaseInput> = {}): PhaseInput {
    const inputs = Object.fromEntries(DEPENDS_ON[phase].map((id) => [id, this.ref(id)]));
    return {
      v: CONTRACT_VERSION,
      phase,
      seal: this.seal,
      claim: 1,
      run: RUN_ID,
      inputs,
      invalidated: [],
      ...changes,
    };
  }

  cleanInput(changes: Partial<CleanInput> = {}): CleanInput {
    const results = Object.fromEntries(ENGINE_PHASE_IDS.map((id) => [id, this.ref(id)])) as Record<
      EnginePhaseId,
      ResultRef
    >;
    return { v: CONTRACT_VERSION, seal: this.seal, claim: 1, run: RUN_ID, results, ...changes };
  }

  private ref(id: EnginePhaseId): ResultRef {
    const result = this.results[id];
    if (!result) throw new Error(`${id} has not run`);
    return { at: result.at, digest: result.digest };
  }

  /** Offers a task; `env.cancel` ends it. */
  offer<K extends keyof SealActivities>(
    activity: K,
    given: Parameters<SealActivities[K]>[0],
    { runId = RUN_ID, now = Date.now(), ...info }: Offer = {},
    deps: DepsChanges = {},
  ): Running<Awaited<ReturnType<SealActivities[K]>>> {
    const input = { ...given, run: runId };
    const env = new MockActivityEnvironment(
      { ...info, currentAttemptScheduledTimestampMs: now, workflowExecution: { workflowId: 'test', runId } },
      { logger: new DefaultLogger('ERROR', () => undefined) },
    );
    const heartbeats: HeartbeatDetails[] = [];
    env.on('heartbeat', (details: HeartbeatDetails) => heartbeats.push(details));
    type Result = Awaited<ReturnType<SealActivities[K]>>;
    const run = createActivities(changed(this.deps, deps))[activity] as unknown as (
      given: typeof input,
    ) => Promise<Result>;
    const done = env.run<[typeof input], Result, typeof run>(run, input);
    // Looked at later; until then it must not count as unhandled.
    done.catch(() => undefined);
    this.tasks.push({ env, done });
    return { env, done, heartbeats };
  }

  /** Offers a phase with the input that follows from the results so far. */
  begin(
    phase: EnginePhaseId,
    changes: Partial<PhaseInput> = {},
    offer?: Offer,
    deps?: DepsChanges,
  ): Running<PhaseResult> {
    return this.offer(activityOf(phase), this.input(phase, changes), offer, deps);
  }

  run(
    phase: EnginePhaseId,
    changes: Partial<PhaseInput> = {},
    offer?: Offer,
    deps?: DepsChanges,
  ): Promise<PhaseResult> {
    return this.begin(phase, changes, offer, deps).done;
  }

  /** Runs phases one after the other and keeps their results; of a host that was not touched yet, by a copy of what they leave. */
  async seals(...phases: EnginePhaseId[]): Promise<void> {
    const key = phases.join('-');
    const isUsual =
      this.isUsual && this.seal === USUAL && this.tasks.length === 0 && !(await exists(this.directory));
    const known = isUsual ? await takeTemplate(key, this.root) : undefined;
    if (known) {
      const { results, logged } = known as Pick<TestHost, 'results' | 'logged'>;
      this.results = results;
      this.logged.push(...logged);
      return;
    }
    for (const phase of phases) this.results[phase] = await this.run(phase);
    if (isUsual) await keepTemplate(key, this.root, { results: this.results, logged: this.logged });
  }

  clean(changes: Partial<CleanInput> = {}, offer?: Offer, deps?: DepsChanges): Promise<CleanResult> {
    return this.offer('cleanSector', this.cleanInput(changes), offer, deps).done;
  }

  /** Ends engines, then tasks: none may write any more when the files are removed. */
  async end(): Promise<void> {
    await killEngines(`${this.root}/`);
    for (const { env } of this.tasks) env.cancel('CANCELLED');
    await Promise.allSettled(this.tasks.map(({ done }) => done));
    await killEngines(`${this.root}/`);
  }

  /** The starts of engines so far, as `1/P2-1`. */
  async started(): Promise<string[]> {
    return (await this.runs()).filter(({ what }) => what === 'start').map(({ at }) => at);
  }

  runs(): Promise<EngineRun[]> {
    return engineRuns(this.checkpoints);
  }
}

type EngineActivity = 'preCommitPhase1' | 'preCommitPhase2' | 'commitPhase1' | 'commitPhase2' | 'copySector';
const activityOf = (phase: EnginePhaseId): EngineActivity => PHASES[phase].activity as EngineActivity;

/** @param environment how the engines behave (test/fixtures/engine/behaviour.mjs) */
export async function createTestHost(environment: NodeJS.ProcessEnv = {}): Promise<TestHost> {
  const root = await temporaryDirectory();
  const logged: string[] = [];
  const all = { ...process.env, FIXTURE_CHECKPOINTS: join(root, 'checkpoints'), ...environment };
  const deps: Deps = {
    identity: { ...(await hostIdentity(HOST)), worker: 'test', version: '0.0.1' },
    engines: new EngineStarter({ command: ENGINE, environment: all }),
    slots: {
      enter: () => ({ leave: () => undefined, leaveToEngine: () => undefined }),
      isDrained: () => false,
    },
    scratch: {
      openGroup: () => Promise.resolve(host.group),
      shortage: () => Promise.resolve(undefined),
      oneAtATime: (admit) => admit(),
      onRoomMade: () => undefined,
      cleanAfter: 'proof',
    },
    nodes: {
      directories: [join(root, 'nodes', NODE)],
      check: (node) => new MountGuard(node, { allowSystemDisk: true }).check(),
      verifyMounted: async (node) => {
        await new MountGuard(node, { allowSystemDisk: true }).verifyMounted();
      },
      copyLimits: { each: 0 },
    },
    journal: new Journal({ info: (line) => void logged.push(line), warn: (line) => void logged.push(line) }),
    resources: {
      coresOf: () => Promise.resolve({}),
      reserveMemory: () => Promise.resolve(() => undefined),
      diskLoad: () => undefined,
      parametersFailed: () => undefined,
    },
  };
  const host = new TestHost(root, deps, all, logged, Object.keys(environment).length === 0);
  await mkdir(host.group.root);
  for (const path of [...groupDirectories(host.group), join(root, 'nodes'), host.node, host.checkpoints])
    await mkdir(path);
  onTestFinished(() => host.end());
  return host;
}

/** The failure that a task ends with. */
export async function failureFrom(done: Promise<unknown>): Promise<ApplicationFailure> {
  return await done.then(
    (value) => {
      throw new Error(`it succeeded: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error as ApplicationFailure,
  );
}

/** All files below a directory with their contents; links and directories by their names. */
export async function snapshot(directory: string, below = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) Object.assign(found, { [`${name}/`]: '' }, await snapshot(directory, name));
    else found[name] = entry.isFile() ? await readFile(join(directory, name), 'base64') : 'not a plain file';
  }
  return found;
}
