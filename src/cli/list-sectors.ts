/** `sealflow status`: what needs a person first, then what is under way, then what has ended; and counts of all. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { sectorOfWorkflow, WORKFLOW_TYPE } from '../contract.js';
import { sealDeadline, sealHost, sealLate, sealPhase, sealState } from '../search-attributes.js';
import { sectorName } from '../sector.js';
import { WhoServes } from '../temporal/ask/who-serves.js';
import { listedWaits } from '../temporal/ask/why-waiting.js';
import type { Listed, ListSummary } from './json-forms.js';
import { hours } from '../units.js';
import { print, printJson } from './process.js';
import { table } from './table.js';

const ALL = `WorkflowType = '${WORKFLOW_TYPE}'`;
const OPEN = `${ALL} AND ExecutionStatus = 'Running'`;
const ATTENTION = "SealState = 'needs-attention'";
/** Each sector is in one of them. A workflow has no state before its first task. */
const NEEDS_ATTENTION = `${OPEN} AND ${ATTENTION}`;
const UNDER_WAY = `${OPEN} AND (SealState IS NULL OR SealState != 'needs-attention')`;
const ENDED = `${ALL} AND ExecutionStatus != 'Running'`;

/** @param limit sectors are listed at most; all are counted */
export async function listSectors(client: Client, limit: number, json: boolean): Promise<void> {
  const rows: Listed[] = [];
  const whoServes = new WhoServes(client);
  const add = async (infos: readonly WorkflowExecutionInfo[]): Promise<void> => {
    for (const info of infos) rows.push(await rowOf(client, info, whoServes));
  };
  for (const query of [NEEDS_ATTENTION, UNDER_WAY])
    await add(await inOrderOfDeadlines(client, query, limit - rows.length));
  await add(await listed(client, ENDED, limit - rows.length));
  const summary = { ...(await count(client)), listed: rows.length };
  if (json) {
    for (const row of rows) printJson(row);
    printJson({ summary } satisfies ListSummary);
    return;
  }
  if (rows.length > 0) print(table(rows.map(cellsOf)));
  print(describeSummary(summary));
}

/**
 * Those whose deadline ends first come first; those without one in the server's order, the newest first. Servers whose visibility
 * is an SQL database do not sort by attributes.
 */
async function inOrderOfDeadlines(
  client: Client,
  query: string,
  limit: number,
): Promise<WorkflowExecutionInfo[]> {
  if (limit <= 0) return [];
  // All of them: the server knows no order.
  const due = await listed(client, `${query} AND SealDeadline IS NOT NULL`, Infinity);
  const deadline = ({ typedSearchAttributes: attributes }: WorkflowExecutionInfo): number =>
    attributes.get(sealDeadline)?.getTime() ?? 0;
  const first = due.sort((a, b) => deadline(a) - deadline(b)).slice(0, limit);
  return [...first, ...(await listed(client, `${query} AND SealDeadline IS NULL`, limit - first.length))];
}

async function listed({ workflow }: Client, query: string, limit: number): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  if (limit <= 0) return found;
  for await (const info of workflow.list({ query, pageSize: Math.min(limit, 1000) }))
    if (found.push(info) >= limit) break;
  return found;
}

async function rowOf(client: Client, info: WorkflowExecutionInfo, whoServes: WhoServes): Promise<Listed> {
  const attributes = info.typedSearchAttributes;
  const waits = (await listedWaits(client, info, whoServes)).map(({ why }) => why);
  const sector = sectorOfWorkflow(info.workflowId);
  return {
    sector: sector ? sectorName(sector) : info.workflowId,
    workflow: info.status.name,
    state: attributes.get(sealState),
    phase: attributes.get(sealPhase),
    host: attributes.get(sealHost),
    ...(!info.closeTime && {
      deadline: attributes.get(sealDeadline)?.toISOString(),
      late: attributes.get(sealLate),
    }),
    started: info.startTime.toISOString(),
    ended: info.closeTime?.toISOString(),
    ...(waits.length > 0 && { waits }),
  };
}

const cellsOf = ({
  sector,
  workflow,
  state,
  phase,
  host,
  deadline,
  late,
  started,
  ended,
  waits,
}: Listed) => ({
  sector,
  workflow,
  state: waits ? 'waits' : (state ?? ''),
  phase: phase ?? '',
  host: host?.join(' ') ?? '',
  deadline: deadline === undefined ? '' : deadlineCell(Date.parse(deadline) - Date.now(), late),
  started,
  ended: ended ?? '',
  waits: waits?.join('; ') ?? '',
});

/** `9.2 h`, `9.2 h LATE` of one that will miss it, `MISSED 2 h ago` */
const deadlineCell = (left: number, late: string | undefined): string =>
  left > 0 ? `${hours(left)}${late === undefined ? '' : ' LATE'}` : `MISSED ${hours(-left)} ago`;

type Summary = ListSummary['summary'];

async function count({ workflow }: Client): Promise<Omit<Summary, 'listed'>> {
  const [{ count: needAttention }, { count: total, groups }] = await Promise.all([
    workflow.count(NEEDS_ATTENTION),
    workflow.count(`${ALL} GROUP BY ExecutionStatus`),
  ]);
  const byWorkflow = groups.map(({ groupValues: [status], count: number }): [string, number] => [
    String(status).toUpperCase(),
    number,
  ]);
  return {
    total,
    needAttention,
    byWorkflow: Object.fromEntries(byWorkflow.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** `168 sectors: 2 need attention; 105 RUNNING, 63 COMPLETED; 68 more: --limit 168 lists them all` */
function describeSummary({ total, needAttention, byWorkflow, listed }: Summary): string {
  if (total === 0) return 'no sectors';
  const attention =
    needAttention > 0 ? `${needAttention} need${needAttention === 1 ? 's' : ''} attention; ` : '';
  const counts = Object.entries(byWorkflow).map(([status, number]) => `${number} ${status}`);
  const more = total > listed ? `; ${total - listed} more: --limit ${total} lists all` : '';
  return `${total} ${total === 1 ? 'sector' : 'sectors'}: ${attention}${counts.join(', ')}${more}`;
}
