/** On which cores P1 and P2 of the real engine run, P2 seen from outside while it is at work. */
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { readProgress } from '../../src/engines/progress.js';
import type { Engine } from '../../src/engines/engine.js';
import { allowedCpus, parseCpuList } from '../../src/machine/topology.js';
import { planCores } from '../../src/workers/cores.js';
import { pinsOf } from '../../src/workers/seats.js';
import { eventually } from '../helpers/eventually.js';
import { makeFifo } from '../helpers/fifo.js';
import { OwnCluster } from '../helpers/own-cluster.js';
import { builtEngine, ENGINE_TIMEOUT_MS } from '../helpers/real-engine.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: ENGINE_TIMEOUT_MS });

const RESERVED = 1;

let engine: Engine;
let cluster: OwnCluster;
beforeAll(async () => {
  engine = await builtEngine();
  cluster = await OwnCluster.start();
  return () => cluster.end();
});

/** CPUs that each thread of a process may run on. */
async function cpusOfThreads(pid: number): Promise<number[][]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const statuses = threads.map((id) => readFile(`/proc/${pid}/task/${id}/status`, 'utf8'));
  return (await Promise.all(statuses)).map((status) =>
    parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? ''),
  );
}

test.skipIf(allowedCpus().length <= RESERVED)(
  'P1 has cores of its own, P2 leaves the reserved ones alone',
  async () => {
    const group = await cluster.group();
    const config = { engine: { command: engine.command, reserved_cores: RESERVED } };
    const run = { env: engine.environment };
    const sector = cluster.newSector();
    await cluster.start(group, sector);
    const p1 = await group.serve(1, { pools: [[1, 'P1']], config, run });
    await eventually(async () => (await cluster.status(sector)).phases.P1.state === 'done');
    p1.kill('SIGTERM');
    await p1.ended;
    const read = async <T>(name: string): Promise<T> =>
      JSON.parse(await readFile(group.attempt(sector, '1/P1-1', name), 'utf8')) as T;
    const { cores, producers } = await read<{ cores?: number[]; producers: number }>('job.json');
    const { facts } = await read<{ facts: { labelCores: number } }>('result.json');
    const [seat] = planCores({
      pools: [{ slots: 1, phases: ['P1'], waitMs: 1 }],
      engine: { reserved_cores: RESERVED, environment: {} },
    }).seats;
    expect(cores).toEqual(seat && pinsOf(seat));
    expect([producers, facts.labelCores]).toEqual([(seat?.length ?? 1) - 1, seat?.length ?? 1]);

    // P2 of this size is over in a moment; the first file that it opens makes it wait.
    const treeD = group.attempt(sector, '1/P1-1', 'sc-02-data-tree-d.dat');
    const aside = join(group.root, 'tree-d');
    await rename(treeD, aside);
    await makeFifo(treeD);
    await group.serve(1, { pools: [[1, 'P2', 'P3']], config, run });
    const progressOfP2 = () => readProgress(group.attempt(sector, '1/P2-1')).catch(() => undefined);
    await eventually(async () => (await progressOfP2()) !== undefined);
    const pid = (await progressOfP2())?.pid ?? 0;
    const threads = await cpusOfThreads(pid);
    expect(threads.length).toBeGreaterThan(0);
    for (const cpus of threads) expect(cpus).toEqual(allowedCpus().slice(RESERVED));

    await rm(treeD);
    await rename(aside, treeD);
    process.kill(pid, 'SIGKILL');
    await eventually(async () => (await cluster.status(sector)).phases.P2.state === 'done');
  },
);
