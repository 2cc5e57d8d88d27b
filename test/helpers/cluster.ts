/** Groups of hosts, and what their sectors come to, on a Temporal server with an orchestrator: all of them processes. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { inject, onTestFailed, onTestFinished } from 'vitest';
import { pollersOf } from '../../src/temporal/ask/pollers.js';
import { pendingPhase } from '../../src/temporal/ask/pending.js';
import { askStatus } from '../../src/temporal/ask/sector-status.js';
import { randomHex32, startSector, unservedPhases } from '../../src/temporal/ask/start-sector.js';
import { WORKFLOW_QUEUE, workflowId, type SealResult } from '../../src/contract.js';
import type { HeartbeatDetails } from '../../src/heartbeat.js';
import type { Attention, SealStatus } from '../../src/messages.js';
import { isErrno } from '../../src/files.js';
import { PHASE_IDS, PHASES, type PhaseId, type SectorSize } from '../../src/phases.js';
import { sealState } from '../../src/search-attributes.js';
import { sectorOf } from '../../src/sector.js';
import { command } from './in-process.js';
import { detailsOf } from './details.js';
import { eventually } from './eventually.js';
import { Group } from './group.js';
import type { End } from './sealflow.js';

/** Short backoffs and timeouts, but longer than a busy machine takes to start an engine. */
const TIME_SCALE = 0.2;
const ATTENTION_LOOK_MS = 500;
const GROUPS_OF_A_FILE = 50;

/** How a sector is started. Without a seed it waits for one. */
export interface StartOptions {
  ticket: string;
  ticketEpoch?: number;
  seed?: string;
  /** If not given, one with which even a busy machine starts an engine in time. */
  timeScale?: number;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** By test/helpers/shared-cluster.ts. */
    cluster: ClusterPlace;
  }
}

/** Where a cluster is. */
interface ClusterPlace {
  address: string;
  directory: string;
}

export class Cluster {
  private groups = 0;
  private sectors = 0;
  private readonly lasting: Group[] = [];
  /** Miner of its sectors, number of its first group. */
  private readonly miner: string;
  private readonly firstGroup: number;

  /** @param file number of the test file, from 0: groups and sectors of files that share a server differ by it */
  protected constructor(
    readonly directory: string,
    readonly address: string,
    readonly client: Client,
    file = 0,
  ) {
    this.miner = `t0${1000 + file}`;
    this.firstGroup = 1 + file * GROUPS_OF_A_FILE;
  }

  /** The server and the orchestrator that the test files of a project share: for tests that leave both alone. */
  static async join(): Promise<Cluster> {
    const { address, directory } = inject('cluster');
    const connection = await Connection.connect({ address });
    return new Cluster(directory, address, new Client({ connection }), await claimFileNumber(directory));
  }

  /** Ends its hosts and its sectors. */
  async end(): Promise<void> {
    await this.endGroups();
    const own = `SealMiner = "${this.miner}" AND ExecutionStatus = "Running"`;
    for await (const { workflowId: id } of this.client.workflow.list({ query: own }))
      await this.client.workflow
        .getHandle(id)
        .terminate()
        // Lists lag: it may have ended meanwhile.
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
    await this.client.connection.close();
  }

  protected async endGroups(): Promise<void> {
    await Promise.all(this.lasting.map((group) => group.end()));
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
    const number = this.firstGroup + this.groups++;
    return new Group(join(this.directory, `group-${number}`), number, size, this.address);
  }

  /** A sector that no other test of this cluster has. */
  newSector = (): string => `${this.miner}/${++this.sectors}`;

  /** Runs a command against this server. */
  sealflow = (...args: string[]): Promise<End> => command([...args, '--address', this.address]);

  /** Waits until somebody serves these phases of a group. */
  untilServed = ({ number, size }: Group, phases: readonly PhaseId[] = PHASE_IDS): Promise<void> =>
    eventually(
      async () => !(await unservedPhases(this.client, number, size)).some((id) => phases.includes(id)),
    );

  /** Who polls for workflows: `host#pid` each. */
  async orchestrators(): Promise<string[]> {
    const pollers = await pollersOf(this.client, WORKFLOW_QUEUE, 'workflow');
    return pollers.map(({ identity }) => identity);
  }

  /** Starts a sector in a group, whether or not anybody serves that; by default with random ticket and seed. */
  async start({ number: group, size }: Group, sector: string, options?: StartOptions): Promise<void> {
    const randomness = options ?? { ticket: randomHex32(), seed: randomHex32() };
    await startSector(this.client, { sector, group, size, timeScale: TIME_SCALE, ...randomness });
  }

  // ---- workflows ----

  handle = (sector: string): WorkflowHandle => this.client.workflow.getHandle(workflowId(sectorOf(sector)));

  /** What the workflow says, without all that the command `status` asks of the server beside. */
  status = (sector: string): Promise<SealStatus> => askStatus(this.client, this.handle(sector));

  /** What the Web UI shows of a sector under *Current Details*. */
  details = (sector: string): Promise<string> => detailsOf(this.handle(sector));

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
      // The server alone knows this, and tests wait here most of the time.
      const { typedSearchAttributes } = await this.handle(sector).describe();
      if (typedSearchAttributes.get(sealState) !== 'needs-attention') continue;
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

  /** Types of the failures that activities have reported to the sector's workflow; hand-backs are not among them. */
  async failures(sector: string): Promise<string[]> {
    const events = (await this.handle(sector).fetchHistory()).events ?? [];
    return events.flatMap(({ activityTaskFailedEventAttributes: failed }) =>
      failed ? [failed.failure?.applicationFailureInfo?.type ?? 'unknown'] : [],
    );
  }

  /** Why hosts have handed back tasks of a phase that have been taken since: the last reason for each. */
  async handedBackBefore(sector: string, phase: PhaseId): Promise<string[]> {
    const events = (await this.handle(sector).fetchHistory()).events ?? [];
    const scheduled = events
      .filter(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === PHASES[phase].activity,
      )
      .map(({ eventId }) => String(eventId));
    return events.flatMap(({ activityTaskStartedEventAttributes: started }) =>
      started && scheduled.includes(String(started.scheduledEventId))
        ? (started.lastFailure?.message ?? [])
        : [],
    );
  }

  /** How many of its tasks the server has given up; a machine that starves a worker does that too. */
  async timeouts(sector: string): Promise<number> {
    const events = (await this.handle(sector).fetchHistory()).events ?? [];
    return events.filter((event) => event.activityTaskTimedOutEventAttributes).length;
  }

  /** Attempts that workers watch at the moment, by their heartbeats. */
  async watched(sector: string): Promise<string[]> {
    return (await this.heartbeats(sector)).map(({ at }) => at);
  }

  /** The last heartbeat of each activity under way. */
  async heartbeats(sector: string): Promise<HeartbeatDetails[]> {
    const { raw } = await this.handle(sector).describe();
    return (raw.pendingActivities ?? []).flatMap(({ heartbeatDetails }) => {
      const payload = heartbeatDetails?.payloads?.[0];
      return payload ? [defaultPayloadConverter.fromPayload<HeartbeatDetails>(payload)] : [];
    });
  }

  /** The activity of a phase that is under way, as the server knows it. */
  async pending(sector: string, phase: PhaseId) {
    const { raw } = await this.handle(sector).describe();
    return raw.pendingActivities?.find((activity) => pendingPhase(activity) === phase);
  }

  /** Last failures of the activities under way: why they wait. */
  async handBacks(sector: string): Promise<string[]> {
    const { raw } = await this.handle(sector).describe();
    return (raw.pendingActivities ?? []).flatMap(
      ({ lastFailure }) => lastFailure?.applicationFailureInfo?.type ?? [],
    );
  }
}

/** A number that no other test file of a shared cluster has. */
async function claimFileNumber(directory: string): Promise<number> {
  for (let number = 0; ; number++) {
    try {
      await mkdir(join(directory, `file-${number}`));
      return number;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
  }
}
