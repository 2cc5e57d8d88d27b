/**
 * A mount that hangs: every call in it waits, for as long as the server behind it is silent (a stopped sshfs here). Who waits
 * there cannot even be killed. All else of the host must go on, and the server must hear of what is at work.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { lacks } from '../helpers/abilities.js';
import { Cluster } from '../helpers/cluster.js';
import { Disk } from '../helpers/disk.js';
import { eventually } from '../helpers/eventually.js';
import { expectStored, readReceipt } from '../helpers/on-disk.js';
import { SshServer } from '../helpers/sshfs.js';
import { chaosRandom, COMPLETE } from './form.js';
import { Scenario } from './scenario.js';
import { expectUndisturbed } from './outcome.js';
import { tally } from './tally.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** The worker's own times in proportion to the sectors': a call that takes 6 s is hung. */
const args = ['--time-scale', '0.2'];
/** Longer than the heartbeat timeout at that scale. */
const LONG = 20;

describe.skipIf(!COMPLETE || (await lacks('sshfs', 'disk')))('a mount that hangs', () => {
  const random = chaosRandom();
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.join();
    return () => cluster.end();
  });

  test('the directory of the group: heartbeats go on, and so does all when it is back', async () => {
    const scenario = new Scenario(cluster, await cluster.group(), random);
    const { group } = scenario;
    const server = await SshServer.start(group);
    const view = await server.view(group.directory.root, join(group.root, 'view'), 'uncached');
    await group.serve(1, { config: { local_dir: view.path }, args });
    await cluster.untilServed(group);
    const works = (['P1', 'P2', 'P4'] as const).map(scenario.newWork);
    for (const work of works) {
      await scenario.tell(work, 'hold', 'middle');
      await scenario.start(work);
    }
    for (const work of works) {
      await scenario.held(work);
      await scenario.untilAlone(work);
    }

    view.hang();
    tally({ faults: works.length });
    for (const work of works) await scenario.takeBack(work, 'hold');
    for (const { sector } of works) await eventually(async () => (await hungFor(sector)) > LONG);
    view.throwIfCancelled();
    await scenario.expectSealed(works);
    for (const work of works) {
      expect(await scenario.runs(work)).toHaveLength(1);
      expect(await cluster.failures(work.sector)).toEqual([]);
      expect(await cluster.timeouts(work.sector)).toBe(0);
    }
  });

  /** For how many seconds a mount has hung, by the sector's last heartbeat. */
  async function hungFor(sector: string): Promise<number> {
    const steps = (await cluster.heartbeats(sector)).map(({ step }) => step);
    return Math.max(0, ...steps.map((step) => Number(/hung for ([0-9]+) s/.exec(step)?.[1] ?? 0)));
  }

  test('a storage node: sectors that do not need it go on', async () => {
    const scenario = new Scenario(cluster, await cluster.group(), random);
    const { group } = scenario;
    const server = await SshServer.start(group);
    // The small one is taken only where the large one does not answer.
    const small = join(group.root, 'other', 'small');
    await mkdir(small, { recursive: true });
    await Disk.mount(group, small, 64);
    const view = await server.view(
      group.node,
      join(group.root, 'views', group.directory.subdirectory),
      'uncached',
    );
    const worker = await group.serve(1, { config: { 'storage-nodes': [view.path, small] }, args });
    await cluster.untilServed(group);
    const [copying, other] = [scenario.newWork('P5'), scenario.newWork('P1')];
    for (const work of [copying, other]) await scenario.tell(work, 'hold', 'middle');
    for (const work of [copying, other]) await scenario.start(work);
    for (const work of [copying, other]) await scenario.held(work);
    await scenario.untilAlone(copying);

    view.hang();
    tally({ faults: 1 });
    for (const work of [copying, other]) await scenario.takeBack(work, 'hold');
    await scenario.untilSealed([other]);
    expect((await readReceipt(small, other.sector)).node).toBe('small');
    expect((await cluster.status(copying.sector)).phases.P5.state).toBe('working');
    expect(worker.said.stderr).not.toContain('UV_THREADPOOL_SIZE');

    view.throwIfCancelled();
    await scenario.untilSealed([copying]);
    await expectUndisturbed({ node: small, size: group.size }, other);
    await expectUndisturbed(group, copying);
    await expectStored(small, [other.sector]);
    await expectStored(group.node, [copying.sector]);
    expect(await scenario.runs(copying)).toHaveLength(1);
    for (const { sector } of [copying, other]) {
      expect(await cluster.failures(sector)).toEqual([]);
      expect(await cluster.timeouts(sector)).toBe(0);
    }
  });
});
