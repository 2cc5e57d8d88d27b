/** One sector under way: `sealSector` on the server, its activities are fakes. */
import { WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, type TypedSearchAttributes } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { CONTRACT_VERSION, WORKFLOW_TYPE, workflowId, type SealInput } from '../../src/contract.js';
import {
  provideSeedUpdate,
  statusQuery,
  type ProvideSeed,
  type Retry,
  type SealStatus,
} from '../../src/messages.js';
import type { PhaseId } from '../../src/phases.js';
import { sectorOf } from '../../src/sector.js';
import { isBackingOff, pendingPhase } from '../../src/temporal/ask/pending.js';
import { retrySector } from '../../src/temporal/ask/retry-sector.js';
import { GRPC, hasCode } from '../../src/temporal/embedded/grpc.js';
import type { sealSector } from '../../src/workflows/index.js';
import { eventually } from './eventually.js';
import { detailsOf } from './details.js';
import { numberOf, type Queue } from './fake-group.js';
import type { Fakes } from './fakes.js';
import type { Temporal } from './temporal.js';

/** Of all sectors. */
export const SIZE = '32GiB';
export const TICKET = 'aa'.repeat(32);
export const OTHER_TICKET = 'ab'.repeat(32);
export const SEED = 'bb'.repeat(32);
export const OTHER_SEED = 'bc'.repeat(32);

/** A heartbeat timeout of 3 s, which a busy machine can keep; backoffs of 250 ms and more. */
const TIME_SCALE = 0.05;

/** A workflow as the server has recorded it. */
export interface ReplayedHistory {
  workflowId: string;
  history: History;
}

export interface SealingOptions {
  fakes: Fakes;
  input?: Partial<SealInput>;
  /** The queues that workers poll: those of a group that only this sector has. If not given, all of the file's group. */
  serve?: readonly Queue[];
}

/** The input of the sector that has this title to itself: its number is made from it. */
export const inputOf = (title: string, changes: Partial<SealInput> = {}): SealInput => ({
  v: CONTRACT_VERSION,
  sector: `t01000/${numberOf(title)}`,
  size: SIZE,
  group: numberOf(title),
  ticket: TICKET,
  seed: SEED,
  timeScale: TIME_SCALE,
  ...changes,
});

export class Sealing {
  /** The last that was seen. */
  lastStatus: SealStatus | undefined;

  constructor(
    readonly temporal: Temporal,
    readonly queue: string,
    readonly input: SealInput,
    readonly fakes: Fakes,
  ) {}

  get handle(): WorkflowHandle<typeof sealSector> {
    return this.temporal.client.workflow.getHandle<typeof sealSector>(
      workflowId(sectorOf(this.input.sector)),
    );
  }

  /** As the Temporal CLI or the Web UI does it. */
  async start(input: unknown = this.input): Promise<void> {
    const { client } = this.temporal;
    const { workflowId } = this.handle;
    await client.workflow.start(WORKFLOW_TYPE, { workflowId, taskQueue: this.queue, args: [input] });
  }

  async status(): Promise<SealStatus> {
    return (this.lastStatus = await this.handle.query(statusQuery));
  }

  /** Waits until the status is such. */
  async until(condition: (status: SealStatus) => boolean): Promise<SealStatus> {
    await eventually(async () => condition(await this.status()));
    return this.lastStatus as SealStatus;
  }

  /** Waits until a phase needs attention. */
  untilAttention(phase: PhaseId): Promise<SealStatus> {
    return this.until(({ phases }) => phases[phase].state === 'needs-attention');
  }

  provideSeed(given: ProvideSeed): Promise<string> {
    return this.handle.executeUpdate(provideSeedUpdate, { args: [given] });
  }

  retry(given: Retry = {}): Promise<string> {
    return retrySector(this.temporal.client, sectorOf(this.input.sector), given);
  }

  /** Waits until a phase has failed that often and waits at the server for its next attempt. */
  async untilBackingOff(phase: PhaseId, failures = 1): Promise<void> {
    await eventually(async () => {
      const { raw } = await this.handle.describe();
      const pending = raw.pendingActivities?.find((activity) => pendingPhase(activity) === phase);
      return this.fakes.calls(phase) === failures && pending !== undefined && isBackingOff(pending);
    });
  }

  /** What lists of workflows show of it; unlike the answer to a query it is on record already. */
  async lists(): Promise<TypedSearchAttributes> {
    return (await this.handle.describe()).typedSearchAttributes;
  }

  /** What the Web UI shows as current details, without the spaces that only it needs. */
  details = (): Promise<string> => detailsOf(this.handle);

  /** The whole history of its last run; none if it has not been started. */
  async history(): Promise<ReplayedHistory[]> {
    const { workflowId } = this.handle;
    try {
      return [{ workflowId, history: await this.handle.fetchHistory() }];
    } catch (error) {
      if (hasCode(error, GRPC.notFound)) return [];
      throw error;
    }
  }

  /** Ends the workflow, if it is still under way. */
  async stop(): Promise<void> {
    await this.handle.terminate().catch(() => undefined);
  }
}

/** Why an update was refused, or a workflow failed, as `type: message`. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    (value) => new Error(`it did not fail, but returned ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  const reported = error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError;
  if (!reported || !(error.cause instanceof ApplicationFailure)) throw error;
  return `${error.cause.type}: ${error.cause.message}`;
}
