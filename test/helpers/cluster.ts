/** A Temporal server, an orchestrator and groups of hosts, as in production: each a process of its own, in one directory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { expect, onTestFailed, onTestFinished } from 'vitest';
import { sectorStatus } from '../../src/client/sector-status.js';
import { unservedPhases } from '../../src/client/start-sector.js';
import { WORKFLOW_QUEUE, workflowId, type HeartbeatDetails, type SealResult } from '../../src/contract.js';
import { statusQuery, type Attention, type SealStatus } from '../../src/messages.js';
import { SEARCH_ATTRIBUTES } from '../../src/search-attributes.js';
import { PHASE_IDS, type PhaseId, type SectorSize } from '../../src/phases.js';
import { sectorOf } from '../../src/sector.js';
import { startEmbeddedServer, type EmbeddedServer } from '../../src/server/embedded-server.js';
import { findTemporalCli } from '../../src/server/temporal-cli.js';
import { eventually } from './eventually.js';
import { Group } from './group.js';
import { sealflow, startSealflow, type End, type Running } from './sealflow.js';

/** Short backoffs and timeouts, but longer than a busy machine takes to start an engine. */
const TIME_SCALE = 0.2;
const ATTENTION_LOOK_MS = 500;

export class Cluster {
  private groups = 0;
  private sectors = 0;
  private readonly lasting: Group[] = [];

  private constructor(
    readonly directory: string,
    private server: EmbeddedServer,
    readonly client: Client,
    private readonly orchestrator: Running,
  ) {}

  static async start(): Promise<Cluster> {
    const directory = await mkdtemp(join(tmpdir(), 'sealflow-e2e-'));
    const server = await startServer(join(directory, 'server'));
    const orchestrator = startSealflow(['orchestrator', '--address', server.address]);
    const connection = await Connection.connect({ address: server.address });
    await orchestrator.until('orchestrator ready');
    return new Cluster(directory, server, new Client({ connection }), orchestrator);
  }

  /** Ends all processes and deletes all files. */
  async end(): Promise<void> {
    await Promise.all(this.lasting.map((group) => group.end()));
    this.orchestrator.kill('SIGKILL');
    await this.orchestrator.ended;
    await this.client.connection.close();
    await this.server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Ends the orchestrator, so that another one can take its place. */
  async endOrchestrator(): Promise<void> {
    this.orchestrator.kill('SIGTERM');
    await this.orchestrator.ended;
  }

  get address(): string {
    return this.server.address;
  }

  get serverPid(): number {
    return this.server.pid;
  }

  /** Where the server keeps all that it knows: to be touched only while it is stopped. */
  get serverData(): string {
    return join(this.directory, 'server');
  }

  stopServer = (): Promise<void> => this.server.stop();

  /** Ends the server as a power cut does. */
  async killServer(): Promise<void> {
    process.kill(-this.server.pid, 'SIGKILL');
    await this.server.ended;
  }

  /** Starts the server again at the same address, on what is in its data directory. */
  async restartServer(): Promise<void> {
    this.server = await startServer(this.serverData, Number(this.address.split(':')[1]));
  }

  /** A new group, which ends with the test. */
  async group(size: SectorSize = '2KiB'): Promise<Group> {
    const group = this.newGroup(size);
    onTestFailed(() => console.error(group.said()));
    onTestFinished(() => group.end());
    await group.setUp();
    return group;
  }

  /** A new group, which ends with the cluster. */
  async lastingGroup(size: SectorSize = '2KiB'): Promise<Group> {
    const group = this.newGroup(size);
    this.lasting.push(group);
    await group.setUp();
    return group;
  }

  private newGroup(size: SectorSize): Group {
    const number = ++this.groups;
    return new Group(join(this.directory, `group-${number}`), number, size, this.address);
  }

  /** A sector that no other test of this cluster has. */
  newSector = (): string => `t01000/${++this.sectors}`;

  /** Runs a command against this server. */
  sealflow = (...args: string[]): Promise<End> => sealflow([...args, '--address', this.address]);

  /** Waits until somebody serves these phases of a group. */
  untilServed = ({ number, size }: Group, phases: readonly PhaseId[] = PHASE_IDS): Promise<void> =>
    eventually(
      async () => !(await unservedPhases(this.client, number, size)).some((id) => phases.includes(id)),
    );

  /** Who polls for workflows: `host#pid` each. */
  async orchestrators(): Promise<string[]> {
    const { pollers } = await this.client.workflowService.describeTaskQueue({
      namespace: this.client.options.namespace,
      taskQueue: { name: WORKFLOW_QUEUE },
      taskQueueType: 1, // TASK_QUEUE_TYPE_WORKFLOW
    });
    return pollers.flatMap(({ identity }) => identity ?? []);
  }

  /** Starts a sector in a group, with times that suit tests. */
  async start({ number, size }: Group, sector: string, ...options: string[]): Promise<void> {
    const place = ['--group', String(number), '--size', size, '--time-scale', String(TIME_SCALE)];
    const end = await this.sealflow('start', sector, ...place, ...options);
    expect(end).toMatchObject({ code: 0, stderr: '' });
  }

  // ---- workflows ----

  handle = (sector: string): WorkflowHandle => this.client.workflow.getHandle(workflowId(sectorOf(sector)));

  status = (sector: string): Promise<SealStatus> => this.handle(sector).query(statusQuery);

  /** Waits until a sector needs attention. */
  async attention(sector: string): Promise<Attention> {
    let found: Attention | undefined;
    await eventually(async () => (found = (await this.status(sector)).attention[0]) !== undefined);
    return found as unknown as Attention;
  }

  /** Waits for the end. @throws when the sector needs attention before, as it would then wait for ever */
  async sealed(sector: string): Promise<SealResult> {
    const result = this.handle(sector).result() as Promise<SealResult>;
    const ended = result.then(
      () => true,
      () => true,
    );
    for (;;) {
      if (await Promise.race([ended, sleep(ATTENTION_LOOK_MS, false)])) return await result;
      const [attention] = (await this.status(sector)).attention;
      if (attention) throw new Error(`${sector} ${attention.phase} needs attention: ${attention.message}`);
    }
  }

  /** Types of the activities that the sector's workflow has scheduled, and the length of its history. */
  async history(sector: string): Promise<{ activities: string[]; events: number }> {
    const events = (await this.handle(sector).fetchHistory()).events ?? [];
    const activities = events.flatMap(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
    );
    return { activities, events: events.length };
  }

  /** Types of the failures that the sector's workflow has been told by activities; hand-backs are not among them. */
  async failures(sector: string): Promise<string[]> {
    const events = (await this.handle(sector).fetchHistory()).events ?? [];
    return events.flatMap(
      ({ activityTaskFailedEventAttributes: failed, activityTaskTimedOutEventAttributes: timedOut }) =>
        failed ? [failed.failure?.applicationFailureInfo?.type ?? 'unknown'] : timedOut ? ['timed out'] : [],
    );
  }

  /** Attempts that workers watch at the moment, by their heartbeats. */
  async watched(sector: string): Promise<string[]> {
    return (await this.heartbeats(sector)).map(({ at }) => at);
  }

  /** The last heartbeat of each activity under way. */
  heartbeats = async (sector: string): Promise<HeartbeatDetails[]> =>
    (await sectorStatus(this.client, sectorOf(sector)))?.engines ?? [];

  /** Last failures of the activities under way: why they were handed back. */
  async handBacks(sector: string): Promise<string[]> {
    const { raw } = await this.handle(sector).describe();
    return (raw.pendingActivities ?? []).flatMap(
      ({ lastFailure }) => lastFailure?.applicationFailureInfo?.type ?? [],
    );
  }
}

const startServer = async (dataDir: string, port?: number): Promise<EmbeddedServer> =>
  startEmbeddedServer({
    cli: await findTemporalCli(),
    dataDir,
    port,
    searchAttributes: SEARCH_ATTRIBUTES,
  });
