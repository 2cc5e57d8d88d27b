/** When no worker serves what a sector waits for, `status` and the Web UI show the queue and since when. */
import { rename } from 'node:fs/promises';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import { ALL_PHASES, type Pool } from '../helpers/group.js';
import { startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const WITHOUT_P4: readonly Pool[] = [[4, 'P1', 'P2', 'P3', 'P5', 'P6']];
const SINCE = String.raw`scheduled since \d{4}-\d\d-\d\dT\S+Z`;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('a phase that no worker of the group serves is shown as waiting until one comes', async () => {
  const group = await cluster.group();
  await group.host(1, { pools: WITHOUT_P4 });
  const sector = cluster.newSector();
  await cluster.start(group, sector);
  const queue = `sealflow/${group.number}/2KiB/CommitPhase2`;
  const said = new RegExp(`^P4 +SNARK +waits +waits: nobody serves ${queue}, ${SINCE}$`, 'm');
  await eventually(async () => said.test((await cluster.sealflow('status', sector)).stdout));

  const { stdout } = await cluster.sealflow('status', sector, '--json');
  const why = expect.stringMatching(new RegExp(`^nobody serves ${queue}, ${SINCE}$`)) as string;
  expect(JSON.parse(stdout)).toMatchObject({ waits: [{ phase: 'P4', queue, why }] });
  const list = await cluster.sealflow('status', '--limit', '10000');
  const row = list.stdout.split('\n').find((line) => line.startsWith(sector));
  expect(row).toMatch(new RegExp(`^${sector} +RUNNING +waits .* nobody serves ${queue}, ${SINCE}$`));

  await eventually(async () => (await cluster.status(sector)).phases.P5.state === 'done');
  const { events } = await cluster.history(sector);
  expect(await cluster.details(sector)).toMatch(
    new RegExp(`^> P4 waits: nobody serves ${queue}, ${SINCE}$`, 'm'),
  );
  expect((await cluster.history(sector)).events).toBe(events);

  await group.host(2, { pools: [[1, 'P4']] });
  await cluster.sealed(sector);
  expect(await cluster.details(sector)).not.toMatch(/nobody serves|\[run\]/);
});

test('a phase whose host is busy stands in its queue: since when, with how many others, and that its host is busy', async () => {
  const group = await cluster.group();
  const [busy, first, second] = [cluster.newSector(), cluster.newSector(), cluster.newSector()];
  await group.tell(busy, 'P1', 'hold');
  await group.host(1, { pools: [[1, 'P1'], ...ALL_PHASES.slice(1)] });
  await cluster.start(group, busy);
  await group.engine(busy, 'P1');
  for (const sector of [first, second]) await cluster.start(group, sector);
  const stands = String.raw`^P1 .* queued .*in its queue since \S+Z, with 1 other; the only slot of ${group.ip(1)} is taken$`;
  await eventually(async () =>
    new RegExp(stands, 'm').test((await cluster.sealflow('status', second)).stdout),
  );
  const { stdout } = await cluster.sealflow('status', second, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'queued',
    inQueue: [{ phase: 'P1', tasks: 2, hosts: [group.ip(1)], busy: { slots: 1 } }],
  });
  const { stdout: working } = await cluster.sealflow('status', busy);
  expect(working).toMatch(new RegExp(`^${busy} .* working `));
  expect(await cluster.details(second)).toMatch(
    /^> P1 in its queue since \S+Z, with 1 other; the only slot of \S+ is taken$/m,
  );
  expect(await cluster.details(busy)).toMatch(new RegExp(`^> P1 on ${group.ip(1)}: `, 'm'));
  await group.takeBack(busy, 'P1', 'hold');
  for (const sector of [busy, first, second]) await cluster.sealed(sector);
});

test('an abort that no worker of the group takes shows what it waits for, and so does status', async () => {
  const group = await cluster.group();
  const sector = cluster.newSector();
  await cluster.start(group, sector);
  await eventually(async () => (await cluster.status(sector)).phases.P1.state === 'queued');
  const abort = startSealflow(['abort', sector, '--yes', '--address', cluster.address]);
  const why = `waits: nobody serves sealflow/${group.number}/control, ${SINCE}$`;
  await eventually(() => new RegExp(`^sealflow: ${sector} ${why}`, 'm').test(abort.said.stderr));
  expect((await cluster.sealflow('status', sector)).stdout).toMatch(new RegExp(`^ {2}${why}`, 'm'));
  await group.host(1);
  expect(await abort.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('aborted') as string });
});

test('an abort that hosts hand back says why, as status does, and goes on when it can', async () => {
  const group = await cluster.group();
  const sector = cluster.newSector();
  await group.tell(sector, 'P5', 'hold');
  await group.host(1);
  await cluster.start(group, sector);
  await group.engine(sector, 'P5');
  await rename(group.node, `${group.node}.away`);
  const abort = startSealflow(['abort', sector, '--yes', '--address', cluster.address]);
  const why = `waits: ${group.ip(1)}: a copy was started on ${group.directory.subdirectory}, which cannot be used: `;
  await eventually(() => abort.said.stderr.includes(`sealflow: ${sector} ${why}`));
  expect((await cluster.sealflow('status', sector)).stdout).toContain(`\n  ${why}`);
  await rename(`${group.node}.away`, group.node);
  expect(await abort.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('aborted') as string });
});
