/** That a phase is at work is seen at once by `status` and on the sector's page, in lists only if it lasts. */
import { beforeAll, expect, test, vi } from 'vitest';
import type { SealStatus } from '../../src/messages.js';
import { sealState } from '../../src/search-attributes.js';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('P3, which takes minutes, costs its sector no events to be seen at work; P4 is in lists too', async () => {
  const group = await cluster.group();
  const sector = cluster.newSector();
  for (const phase of ['P3', 'P4'] as const) await group.tell(sector, phase, 'hold');
  await group.host(1);
  await cluster.start(group, sector);
  const listed = async () => (await cluster.handle(sector).describe()).typedSearchAttributes.get(sealState);

  const status = async () =>
    JSON.parse((await cluster.sealflow('status', sector, '--json')).stdout) as Pick<
      SealStatus,
      'state' | 'phases'
    >;
  await eventually(async () => (await status()).phases.P3.state === 'working');
  expect(await status()).toMatchObject({ state: 'working', phases: { P3: { host: group.ip(1) } } });
  expect((await cluster.status(sector)).phases.P3.state).toBe('queued');
  expect((await cluster.sealflow('status', sector)).stdout).toMatch(/^P3 .* working /m);
  expect(await cluster.details(sector)).toMatch(new RegExp(`^> P3 on ${group.ip(1)}: `, 'm'));
  expect(await listed()).toBe('queued');
  await group.takeBack(sector, 'P3', 'hold');

  await eventually(async () => (await listed()) === 'working');
  expect((await cluster.status(sector)).phases.P4.state).toBe('working');
  await group.takeBack(sector, 'P4', 'hold');
  await cluster.sealed(sector);
  expect(await cluster.details(sector)).not.toMatch(/^>/m);
  expect((await cluster.history(sector)).events).toBeLessThan(70);
});
