/** Sectors of high priority go first, those that were begun before them; it can be changed while they wait. */
import { beforeAll, expect, test, vi } from 'vitest';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import { ALL_PHASES } from '../helpers/group.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('sectors are begun in the order of their priority, then in that in which they came', async () => {
  const group = await cluster.group();
  const [busy, a, b, c, d, e] = Array.from({ length: 6 }, cluster.newSector) as [string, ...string[]] &
    string[];
  await group.tell(busy, 'P1', 'hold');
  await group.host(1, { pools: [[1, 'P1'], ...ALL_PHASES.slice(1)] });
  await cluster.start(group, busy);
  await group.engine(busy, 'P1');
  const start = async (sector: string | undefined, ...more: string[]): Promise<void> => {
    const place = ['--group', `${group.number}`, '--size', group.size, '--test', '--time-scale', '0.2'];
    expect(await cluster.sealflow('start', `${sector}`, ...place, ...more)).toMatchObject({
      code: 0,
      stderr: '',
    });
    // Until then a later one may come into the queue before it.
    await eventually(async () => (await cluster.status(`${sector}`)).phases.P1.state === 'queued');
  };
  await start(a);
  await start(b);
  await start(c, '--priority');
  await start(d);
  await start(e, '--priority');
  const change = (sector: string | undefined, to: string) => cluster.sealflow('priority', `${sector}`, to);
  expect(await change(d, 'high')).toEqual({
    code: 0,
    stdout: `${d}: is high now; moved in the queue of P1\n`,
    stderr: '',
  });
  expect(await change(d, 'high')).toMatchObject({ code: 0, stdout: `${d}: is high already\n` });
  expect(await change(e, 'normal')).toMatchObject({
    code: 0,
    stdout: `${e}: is normal now; moved in the queue of P1\n`,
  });
  await group.takeBack(busy, 'P1', 'hold');
  const begun = async (): Promise<string[]> =>
    (await group.starts(undefined, 'P1')).map(({ sector }) => sector);
  await eventually(async () => (await begun()).length === 6);
  const inOrder = [busy, c, d, a, b, e].map((sector) => sectorFileName(sectorOf(`${sector}`)));
  // A task that a host has handed back has lost its place.
  const handedBack = await Promise.all(
    [c, d, a, b, e].map((sector) => cluster.handedBackBefore(`${sector}`, 'P1')),
  );
  expect({ begun: await begun(), handedBack: handedBack.flat() }).toEqual({ begun: inOrder, handedBack: [] });
  for (const sector of [busy, a, b, c, d, e]) await cluster.sealed(`${sector}`);
  expect(await change(a, 'high')).toMatchObject({ code: 1 });
});
