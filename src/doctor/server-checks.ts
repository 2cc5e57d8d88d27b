/** Checks that query the Temporal server, over one connection. */
import type { Client, Connection } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { connectServer } from '../temporal/connect/client.js';
import type { Target } from '../temporal/connect/target.js';
import type { Config } from '../config.js';
import { controlQueue, phaseQueue, WORKFLOW_QUEUE } from '../contract.js';
import type { HostStatement } from '../host-statement.js';
import { PHASE_IDS, SECTOR_SIZE_NAMES } from '../phases.js';
import { pollersOf, type Poller, type QueueType } from '../temporal/ask/pollers.js';
import { toldHost } from '../temporal/ask/who-serves.js';
import { GRPC, hasCode } from '../temporal/embedded/grpc.js';
import { UserError } from '../user-error.js';
import { hasEnded } from '../workers/only-worker.js';
import { clockDifference, judgeClock } from './checks/clock.js';
import { judgeSizes, judgeVersions, type Served } from './checks/pollers.js';
import {
  judgeAttributes,
  judgeOrchestrators,
  judgePriority,
  judgeRetention,
  judgeVersion,
} from './checks/server.js';
import { fail, ok, skipped, type Verdict } from './finding.js';
import type { Check } from './run-checks.js';

const ANSWER_MS = 5_000;
/** Covers connecting, probing whether something else listens there, and one answer. */
const DEADLINE_MS = 15_000;

type Namespace = Awaited<ReturnType<Connection['workflowService']['describeNamespace']>>;

export class ServerChecks {
  private readonly connected: Promise<Client>;
  private readonly described: Promise<Namespace>;

  constructor(
    private readonly target: Target,
    private readonly config: Pick<Config, 'groups' | 'size' | 'ip' | 'pools' | 'localDir'>,
  ) {
    this.connected = connectServer(target);
    this.described = this.ask(({ workflowService }, namespace) =>
      workflowService.describeNamespace({ namespace }),
    );
    // The checks that await them report the errors.
    this.connected.catch(() => undefined);
    this.described.catch(() => undefined);
  }

  get checks(): Check[] {
    const named: [string, () => Promise<Verdict>][] = [
      ['server', () => this.reached()],
      ['server version', () => this.ifReached(() => this.version())],
      ['namespace', () => this.ifReached(() => this.namespace())],
      ['retention', () => this.ifNamespace(() => this.retention())],
      ['search attributes', () => this.ifNamespace(() => this.attributes())],
      ['priority', () => this.ifNamespace(() => this.priority())],
      ['orchestrator', () => this.ifNamespace(() => this.orchestrators())],
      ['versions', () => this.ifNamespace(() => this.versions())],
      ['sector size', () => this.ifNamespace(() => this.sizes())],
      ['clock', () => this.ifNamespace(() => this.clock())],
    ];
    return named.map(([name, run]) => ({ name, deadlineMs: DEADLINE_MS, run }));
  }

  /** What the running worker of this config tells of itself; undefined if there is none. */
  told = async (): Promise<HostStatement | 'no server' | undefined> => {
    try {
      const told = await toldHost(await this.connected, this.config);
      return told?.isPresent && !(await hasEnded(this.config, told.pid)) ? told : undefined;
    } catch {
      return 'no server';
    }
  };

  /** Closes the connection. */
  async close(): Promise<void> {
    const client = await this.connected.catch(() => undefined);
    await client?.connection.close();
  }

  private async reached(): Promise<Verdict> {
    const { address, tls } = this.target;
    try {
      await this.connected;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return fail(error.message, 'a Temporal frontend', error.hint ?? '');
    }
    return ok(`${address}${tls ? ', TLS' : ''}`);
  }

  private async version(): Promise<Verdict> {
    const { serverVersion } = await this.ask(({ workflowService }) => workflowService.getSystemInfo({}));
    return judgeVersion(serverVersion);
  }

  private async namespace(): Promise<Verdict> {
    const { namespace } = this.target;
    try {
      await this.described;
    } catch (error) {
      if (!hasCode(error, GRPC.notFound)) throw error;
      return fail(`${namespace} does not exist`, 'a namespace that is set up', 'run sealflow setup');
    }
    return ok(namespace);
  }

  private async retention(): Promise<Verdict> {
    const { config } = await this.described;
    return judgeRetention(tsToMs(config?.workflowExecutionRetentionTtl));
  }

  private async attributes(): Promise<Verdict> {
    const { customAttributes } = await this.ask(({ operatorService }, namespace) =>
      operatorService.listSearchAttributes({ namespace }),
    );
    return judgeAttributes(customAttributes);
  }

  private async priority(): Promise<Verdict> {
    const [group = 0] = this.config.groups;
    const taskQueue = { name: phaseQueue(group, this.config.size, 'P1') };
    const { activityTaskQueuePartitions } = await this.ask(({ workflowService }, namespace) =>
      workflowService.listTaskQueuePartitions({ namespace, taskQueue }),
    );
    return judgePriority(activityTaskQueuePartitions.length);
  }

  private async orchestrators(): Promise<Verdict> {
    const pollers = await this.pollers(WORKFLOW_QUEUE, 'workflow');
    return judgeOrchestrators(pollers.map(({ identity }) => identity));
  }

  private async versions(): Promise<Verdict> {
    const control = this.config.groups.map((group) => this.pollers(controlQueue(group), 'activity'));
    const all = await Promise.all([this.pollers(WORKFLOW_QUEUE, 'workflow'), ...control]);
    return judgeVersions(all.flat());
  }

  private async sizes(): Promise<Verdict> {
    const { groups, size, ip } = this.config;
    const served: Served = {};
    const queues = groups.flatMap((group) =>
      SECTOR_SIZE_NAMES.flatMap((other) => PHASE_IDS.map((phase) => ({ group, other, phase }))),
    );
    await Promise.all(
      queues.map(async ({ group, other, phase }) => {
        const pollers = await this.pollers(phaseQueue(group, other, phase), 'activity');
        const known = (served[other] ??= {});
        known[phase] = [...(known[phase] ?? []), ...pollers.map(({ identity }) => identity)];
      }),
    );
    return judgeSizes(size, ip, served);
  }

  private async pollers(queue: string, type: QueueType): Promise<Poller[]> {
    return await pollersOf(await this.connected, queue, type);
  }

  private async clock(): Promise<Verdict> {
    const { connection } = await this.connected;
    return judgeClock(await clockDifference(connection as Connection, this.target.namespace));
  }

  /** @throws gRPC's error when the server refuses or does not answer in time; UserError when no server is reachable */
  private async ask<T>(call: (connection: Connection, namespace: string) => Promise<T>): Promise<T> {
    const connection = (await this.connected).connection as Connection;
    return await connection.withDeadline(Date.now() + ANSWER_MS, () =>
      call(connection, this.target.namespace),
    );
  }

  private async ifReached(run: () => Promise<Verdict>): Promise<Verdict> {
    const isReached = await this.connected.then(
      () => true,
      () => false,
    );
    return isReached ? await run() : skipped('no server');
  }

  private async ifNamespace(run: () => Promise<Verdict>): Promise<Verdict> {
    return await this.ifReached(async () => {
      const exists = await this.described.then(
        () => true,
        () => false,
      );
      return exists ? await run() : skipped('no namespace');
    });
  }
}
