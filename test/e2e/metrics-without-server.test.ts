/** Monitoring after a power cut: workers are up before Temporal is. */
import { beforeAll, expect, test, vi } from 'vitest';
import { freePort } from '../../src/temporal/embedded/ports.js';
import { gaugesAt } from '../helpers/gauges.js';
import { OwnCluster } from '../helpers/own-cluster.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: OwnCluster;

beforeAll(async () => {
  cluster = await OwnCluster.start();
  return () => cluster.end();
});

test('a worker that starts while Temporal is down exports its gauges from the first scrape on', async () => {
  const group = await cluster.group();
  const listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
  await cluster.stopServer();
  const worker = await group.start(1, { config: { metrics: { listen } } });
  await worker.until('waiting for Temporal');
  const own = ['slots P1', 'slots_taken P1', 'room_for_new_sector', 'phase_served P1', 'drained'];
  const names = own.map((name) => `sealflow_${name}`);
  expect([...(await gaugesAt(listen)).keys()]).toEqual(expect.arrayContaining(names));
  expect((await gaugesAt(listen)).get('sealflow_phase_served P1')).toBe(0);
  await cluster.restartServer();
  await cluster.untilServed(group);
  expect([...(await gaugesAt(listen)).keys()]).toEqual(expect.arrayContaining(names));

  // They tell of changes too.
  const sector = cluster.newSector();
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector);
  await group.engine(sector, 'P1');
  expect((await gaugesAt(listen)).get('sealflow_slots_taken P1')).toBe(1);
});
