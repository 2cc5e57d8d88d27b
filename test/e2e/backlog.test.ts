/** Started sectors go first: a sector must not wait behind hundreds of new ones for its retry. */
import { beforeAll, expect, test, vi } from 'vitest';
import { phaseQueue } from '../../src/contract.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import { Cluster } from '../helpers/cluster.js';
import type { EngineRun } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import { untilGone, type Group } from '../helpers/group.js';

/** Priority key of rescheduled phases (src/workflows/run-phase.ts, which only loads inside a workflow). */
const BEGUN = 1;

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const SECTORS = 200;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('a P1 that lost its worker and engine resumes before 198 that have not started', async () => {
  const group = await cluster.group();
  const pools = [[1, 'P1']] as const;
  const worker = await group.serve(1, { pools });
  const first = cluster.newSector();
  await group.tell(first, 'P1', 'hold');
  await cluster.start(group, first);
  const engine = await group.engine(first, 'P1');
  const others = Array.from({ length: SECTORS - 1 }, cluster.newSector);
  for (const sector of others) await cluster.start(group, sector);

  worker.kill('SIGKILL');
  await worker.ended;
  process.kill(-engine.pid, 'SIGKILL');
  await untilGone(engine.pid);
  // Until the loss is detected, the restarted worker may take new ones; they are held until the lost one is
  // scheduled again.
  for (const sector of others) await group.tell(sector, 'P1', 'hold');
  await group.takeBack(first, 'P1', 'hold');
  await group.host(1, { pools });
  await eventually(async () => (await group.starts()).length >= 2);
  const between = (await group.starts())[1] as EngineRun;
  const taken = others.find((sector) => sectorFileName(sectorOf(sector)) === between.sector);
  if (taken) {
    await eventually(async () => (await begunOnes(group)) === 1);
    await group.takeBack(taken, 'P1', 'hold');
    await eventually(async () => (await group.starts()).length >= 3);
  }
  const next = (await group.starts())[taken ? 2 : 1] as EngineRun;
  expect(next.sector).toBe(sectorFileName(sectorOf(first)));
});

/**
 * Number of queued P1 tasks with priority over new ones. The workflow's command is not enough: the server may lag.
 */
async function begunOnes({ number, size }: Group): Promise<number> {
  const { statsByPriorityKey } = await cluster.client.workflowService.describeTaskQueue({
    namespace: cluster.client.options.namespace,
    taskQueue: { name: phaseQueue(number, size, 'P1') },
    taskQueueType: 2, // TASK_QUEUE_TYPE_ACTIVITY
    reportStats: true,
  });
  return Number(statsByPriorityKey[BEGUN]?.approximateBacklogCount ?? 0);
}
