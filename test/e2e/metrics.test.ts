import { beforeAll, expect, test, vi } from 'vitest';
import { scratchBytes } from '../../src/phases.js';
import { freePort } from '../../src/temporal/embedded/ports.js';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import { gaugesAt } from '../helpers/gauges.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('a host with [metrics] exports its slots and its scratch to Prometheus', async () => {
  const group = await cluster.group();
  const listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const worker = await group.serve(1, { config: { metrics: { listen } } });
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, 'P1', 'hold', 'begin');
  await cluster.start(group, sector);
  const metrics = () => gaugesAt(listen);
  await eventually(async () => (await metrics()).get('sealflow_slots_taken P1') === 1);
  const now = await metrics();
  expect(now.get('sealflow_slots P1')).toBe(10);
  expect(now.get('sealflow_slots_taken P2+P3')).toBe(0);
  expect(now.get('sealflow_room_for_new_sector')).toBe(1);
  expect([now.get('sealflow_phase_served P4'), now.get('sealflow_drained')]).toEqual([1, 0]);
  expect(now.get('sealflow_scratch_free_bytes')).toBeGreaterThan(0);
  await eventually(async () => {
    const reserved = (await metrics()).get('sealflow_scratch_reserved_bytes') ?? 0;
    return reserved > 0 && reserved <= scratchBytes('2KiB');
  });
  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
  await eventually(async () => (await metrics()).get('sealflow_slots_taken P1') === 0);

  // Its log tells the same sector's story.
  for (const phase of ['P1', 'P2', 'P3', 'P4', 'P5'])
    expect(worker.said.stderr).toMatch(
      new RegExp(
        `INFO  ${sector} ${phase} begins: 1/${phase}-1, engine (\\d+)\n(?:.*\n)*.*INFO  ${sector} ${phase} done: 1/${phase}-1, engine \\1, `,
      ),
    );
  expect(worker.said.stderr).toMatch(
    new RegExp(`INFO  ${sector} P6 begins\n(?:.*\n)*.*INFO  ${sector} P6 done, `),
  );
});
