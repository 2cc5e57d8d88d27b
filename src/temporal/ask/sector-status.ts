/** Status of a sector: the workflow's own status, and what the server knows besides. */
import {
  isGrpcServiceError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import { sectorOfWorkflow, workflowId } from '../../contract.js';
import { statusQuery, type SealStatus } from '../../messages.js';
import { PHASE_IDS, type PhaseId } from '../../phases.js';
import { sectorName, type SectorId } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { GRPC, hasCode } from '../embedded/grpc.js';
import { needsOf } from './deadline.js';
import { NotReadyError, whyUnanswered } from './ready.js';
import { serverView, type ServerView } from './server-view.js';
import { WhoServes } from './who-serves.js';
import { readWaits } from './why-waiting.js';

export interface SectorStatus extends SealStatus, ServerView {
  /** Temporal's: RUNNING, COMPLETED, CANCELLED, FAILED, … */
  workflow: string;
  runId: string;
  /** What P1 and P2 still take, in ms, while the ticket runs. */
  needsMs?: number;
}

/**
 * @param whoServes shared by a whole command run, if it inspects many sectors
 * @returns undefined when the sector has no workflow
 * @throws UserError when no orchestrator answers
 */
export async function sectorStatus(
  client: Client,
  sector: SectorId,
  whoServes = new WhoServes(client),
): Promise<SectorStatus | undefined> {
  const handle = client.workflow.getHandle(workflowId(sector));
  try {
    const description = await handle.describe();
    const status = await askStatus(client, handle).catch(async (error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      const [wait] = await readWaits(description.raw, undefined, whoServes);
      throw wait ? new NotReadyError(wait.why, { exitCode: 1, hint: error.hint }) : error;
    });
    const view = await serverView(client, description.raw, status, whoServes);
    const needsMs = await needsOf(status, view.engines, whoServes);
    const { status: workflow, runId } = description;
    const running = { ...view, ...(needsMs !== undefined && { needsMs }) };
    return { ...withWork(status, view), workflow: workflow.name, runId, ...running };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Hosts tell the workflow of work that lasts (`workShownAfter`), their heartbeats tell of it at once. */
export function withWork(status: SealStatus, { atWork }: Pick<ServerView, 'atWork'>): SealStatus {
  const known = atWork.filter(({ phase }) => status.phases[phase].state === 'queued');
  if (known.length === 0) return status;
  const working = known.map(({ phase, host }) => [
    phase,
    { ...status.phases[phase], state: 'working' as const, host },
  ]);
  return {
    ...status,
    state: status.state === 'queued' ? 'working' : status.state,
    phases: { ...status.phases, ...Object.fromEntries(working) } as SealStatus['phases'],
  };
}

/** A running orchestrator answers in well under a second. */
const ANSWER_MS = 10_000;
/** gRPC codes of an expired deadline: CANCELLED from the client, DEADLINE_EXCEEDED from the server. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;

/**
 * The workflow's own status. Queries twice: a server that has just started gives the first query to orchestrators that are still reconnecting.
 * @throws UserError when neither query is answered
 */
export async function askStatus(client: Client, handle: WorkflowHandle): Promise<SealStatus> {
  const ask = () => client.connection.withDeadline(Date.now() + ANSWER_MS, () => handle.query(statusQuery));
  for (let queries = 1; ; queries++) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnanswered(error)) throw cannotTell(handle, error) ?? error;
      if (queries === 2) throw await whyUnanswered(client);
    }
  }
}

/** Its tasks fail, or it has ended before its first one: the server refuses the query. */
function cannotTell({ workflowId: id }: WorkflowHandle, error: unknown): UserError | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!hasCode(cause, GRPC.failedPrecondition)) return undefined;
  const sector = sectorOfWorkflow(id);
  return new UserError(
    `${sector ? sectorName(sector) : id}: its workflow cannot tell its status: ${cause.details}`,
    {
      exitCode: 1,
      hint: 'its history in the Web UI says why; if it has ended, start the sector again',
      cause: error,
    },
  );
}

/** Whether nobody has polled lately, or nobody answered in time. */
function isUnanswered(error: unknown): boolean {
  const cause = error instanceof Error && isGrpcServiceError(error.cause) ? error.cause : undefined;
  if (!cause) return false;
  const isTimeUp = [CANCELLED, DEADLINE_EXCEEDED].includes(cause.code);
  return isTimeUp || /no poller|deadline exceeded|not scheduled yet/.test(cause.details);
}

/** The phases that are neither done nor still to come. */
export const activePhases = ({ phases }: SealStatus): PhaseId[] =>
  PHASE_IDS.filter((id) => !['waiting', 'done'].includes(phases[id].state));

/** What upstream must give next; of a sector that follows the chain, an activity says what it waits for. */
export function askedFor({ sector, state, chain }: SealStatus): string | undefined {
  if (chain) return undefined;
  if (state === 'waiting-for-seed')
    return `waits for its seed, the chain's randomness after the pre-commit: sealflow seed ${sector} HEX`;
  if (state === 'waiting-for-landed')
    return `waits for its proof to be on chain; once it is: sealflow landed ${sector}`;
  return undefined;
}
