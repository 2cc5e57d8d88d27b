/** `sealflow status` of more sectors than it lists, in a namespace of its own in which nobody polls. */
import { Client, type Connection } from '@temporalio/client';
import { beforeAll, expect, test, vi } from 'vitest';
import { WORKFLOW_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contract.js';
import { SEARCH_ATTRIBUTES, sealState } from '../../src/search-attributes.js';
import { sectorOf } from '../../src/sector.js';
import { setUpNamespace } from '../../src/temporal/embedded/namespace.js';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import { command } from '../helpers/in-process.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const NAMESPACE = 'many';
let cluster: Cluster;
let client: Client;

/** Starts a workflow that lists show in this state. */
async function listed(sector: string, state: string): Promise<void> {
  await client.workflow.start(WORKFLOW_TYPE, {
    workflowId: workflowId(sectorOf(sector)),
    taskQueue: WORKFLOW_QUEUE,
    typedSearchAttributes: [{ key: sealState, value: state }],
  });
}

const status = (...args: string[]) =>
  command(['status', '--address', cluster.address, ...args], { TEMPORAL_NAMESPACE: NAMESPACE });

beforeAll(async () => {
  cluster = await Cluster.join();
  const connection = cluster.client.connection as Connection;
  const searchAttributes = SEARCH_ATTRIBUTES;
  await setUpNamespace(connection, { namespace: NAMESPACE, retentionDays: 1, searchAttributes });
  client = new Client({ connection, namespace: NAMESPACE });
  // The server lists the newest first: what a person must look at would be last.
  for (const number of [1, 2]) await listed(`t01000/${number}`, 'needs-attention');
  for (const number of [3, 4, 5, 6]) await listed(`t01000/${number}`, 'running');
  for (const number of [7, 8]) {
    await listed(`t01000/${number}`, 'needs-attention');
    await client.workflow.getHandle(workflowId(sectorOf(`t01000/${number}`))).terminate();
  }
  await eventually(async () => (await client.workflow.count("ExecutionStatus = 'Terminated'")).count === 2);
  return () => cluster.end();
});

const sectors = (stdout: string): string[] => stdout.split('\n').flatMap((line) => /^t\S+/.exec(line) ?? []);

test('lists what needs a person first, counts all, and tells how many more there are', async () => {
  const { code, stdout, stderr } = await status('--limit', '3');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(sectors(stdout).slice(0, 2).sort()).toEqual(['t01000/1', 't01000/2']);
  expect(sectors(stdout)).toHaveLength(3);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    '8 sectors: 2 need attention; 6 RUNNING, 2 TERMINATED; 5 more: --limit 8 lists all',
  );
});

test('says nothing of more when all are listed, each once', async () => {
  const { stdout } = await status();
  expect(sectors(stdout).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => `t01000/${number}`));
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('8 sectors: 2 need attention; 6 RUNNING, 2 TERMINATED');
});

test('counts in its last line of JSON too', async () => {
  const lines = (await status('--limit', '3', '--json')).stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
    summary: { total: 8, listed: 3, needAttention: 2, byWorkflow: { RUNNING: 6, TERMINATED: 2 } },
  });
});
