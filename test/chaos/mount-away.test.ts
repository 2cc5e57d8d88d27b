/** The directory of a group, or a storage node, is unmounted under those who work in it, and mounted again. */
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { lacks } from '../helpers/abilities.js';
import { BoundMount } from '../helpers/bound-mount.js';
import { Cluster } from '../helpers/cluster.js';
import { engineRuns } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import { chaosRandom, COMPLETE } from './form.js';
import { Scenario } from './scenario.js';
import { tally } from './tally.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const CAUGHT_IN = ['P1', 'P2', 'P3'] as const;

describe.skipIf(await lacks('mount'))('a mount that vanishes and comes back', () => {
  const random = chaosRandom();
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.join();
    return () => cluster.end();
  });

  test.runIf(COMPLETE)(
    'the directory of the group: engines end in it, nothing is written in its place, nothing is made twice',
    async () => {
      const scenario = new Scenario(cluster, await cluster.group(), random);
      const { group } = scenario;
      const mount = await BoundMount.replace(group, group.directory.root);
      const worker = await group.host(1);
      await cluster.untilServed(group);
      const works = CAUGHT_IN.map(scenario.newWork);
      for (const work of works) {
        await scenario.tell(work, 'hold', 'middle');
        await scenario.start(work);
      }
      // The fourth waits between two phases: its seed comes while the mount is away.
      const between = scenario.newWork('P3');
      await scenario.startWithoutSeed(between);
      const engines = await Promise.all(works.map((work) => scenario.held(work)));
      await eventually(async () => (await cluster.status(between.sector)).state === 'waiting-for-seed');

      await mount.vanish();
      tally({ faults: works.length + 1 });
      await worker.until('; not P');
      for (const work of works) await scenario.takeBack(work, 'hold');
      await scenario.giveSeed(between);
      const ended = async (): Promise<number[]> =>
        (await engineRuns(group.checkpoints)).filter(({ what }) => what === 'end').map(({ pid }) => pid);
      await eventually(async () => {
        const pids = await ended();
        return engines.every(({ pid }) => pids.includes(pid));
      });
      await eventually(async () => (await cluster.status(between.sector)).phases.P3.state !== 'waiting');
      expect(await readdir(mount.path)).toEqual([]);

      await mount.comeBack();
      await scenario.expectSealed([...works, between]);
      for (const [i, work] of works.entries()) expect(await scenario.runs(work)).toEqual([engines[i]]);
      for (const { sector } of [...works, between]) expect((await cluster.status(sector)).stepsBack).toBe(0);
    },
  );

  test('the storage node: the copy is made again, and nowhere else', async () => {
    const scenario = new Scenario(cluster, await cluster.group(), random);
    const { group } = scenario;
    const mount = await BoundMount.replace(group, group.node);
    await group.host(1);
    await cluster.untilServed(group);
    const work = scenario.newWork('P5');
    await scenario.tell(work, 'hold', 'middle');
    await scenario.start(work);
    await scenario.held(work);
    await mount.vanish();
    tally({ faults: 1 });
    await scenario.takeBack(work, 'hold');
    await eventually(async () => (await cluster.handBacks(work.sector)).length > 0);
    expect(await readdir(mount.path)).toEqual([]);

    await mount.comeBack();
    await scenario.expectSealed([work]);
    expect((await cluster.status(work.sector)).stepsBack).toBe(0);
  });
});
