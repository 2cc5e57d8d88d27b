/**
 * Disks that get full: the group's directory in each phase that writes there, and the storage node. What is under way waits for
 * room, loses nothing, and goes on by itself; nothing new is begun meanwhile. The short form has the group's directory, and a
 * storage node in mount-away.test.ts.
 */
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { EnginePhaseId, PhaseId } from '../../src/phases.js';
import { lacks } from '../helpers/abilities.js';
import { Cluster } from '../helpers/cluster.js';
import { Disk } from '../helpers/disk.js';
import { eventually } from '../helpers/eventually.js';
import type { Pool } from '../helpers/group.js';
import { chaosRandom, COMPLETE } from './form.js';
import { Scenario, type Work } from './scenario.js';
import { tally } from './tally.js';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/** A quarter of a megabyte in each large file: a phase needs more than what may be left beside a ballast. */
const ENV = { FIXTURE_BYTES: String(2 ** 18), FIXTURE_LAYERS: '4' };
/** How often the disk is found full before there is room again. */
const TRIES = 3;

describe.skipIf(await lacks('disk'))('a full disk', () => {
  const random = chaosRandom();
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.join();
    return () => cluster.end();
  });

  /** Sectors whose engines stop in their phases at the moment that is given. */
  async function caught(scenario: Scenario, at: Partial<Record<EnginePhaseId, string>>): Promise<Work[]> {
    const works = (Object.keys(at) as EnginePhaseId[]).map(scenario.newWork);
    for (const work of works) {
      await scenario.tell(work, 'hold', at[work.phase]);
      await scenario.start(work);
    }
    for (const work of works) {
      await scenario.held(work);
      await scenario.untilAlone(work);
    }
    return works;
  }

  /** Waits until a phase of a sector has found the disk full that often, of which the workflow has not heard. */
  async function untilFull(sector: string, phase: PhaseId, tries = TRIES): Promise<void> {
    await eventually(async () => {
      const { lastFailure, attempt } = (await cluster.pending(sector, phase)) ?? {};
      return (attempt ?? 0) > tries && lastFailure?.applicationFailureInfo?.type === 'NoSpace';
    });
    expect(await cluster.failures(sector)).toEqual([]);
  }

  test.runIf(COMPLETE)('of the group: each phase waits for room, and nothing new is begun', async () => {
    const scenario = new Scenario(cluster, await cluster.group(), random, ENV);
    const { group } = scenario;
    const disk = await Disk.mount(group, group.directory.root, 64);
    await group.setUpDirectory(disk.path);
    await group.host(1, { engineEnv: ENV });
    await cluster.untilServed(group);
    const works = await caught(scenario, { P1: 'middle', P2: 'start', P3: 'start', P4: 'end' });
    await disk.fill();
    tally({ faults: works.length });
    for (const work of works) await scenario.takeBack(work, 'hold');
    const late = scenario.newWork('P1');
    await scenario.start(late);

    for (const { sector, phase } of works) await untilFull(sector, phase);
    await eventually(async () => (await cluster.handBacks(late.sector)).includes('NoRoom'));
    expect(existsSync(group.sector(late.sector))).toBe(false);

    await disk.makeRoom();
    await scenario.expectSealed([...works, late]);
  });

  test.runIf(COMPLETE)(
    'of the group: what needs little goes on, and a sector that ends makes room for a new one',
    async () => {
      const scenario = new Scenario(cluster, await cluster.group('8MiB'), random, ENV);
      const { group } = scenario;
      const disk = await Disk.mount(group, group.directory.root, 200);
      await group.setUpDirectory(disk.path);
      await group.host(1, { engineEnv: ENV });
      await cluster.untilServed(group);
      const [work] = (await caught(scenario, { P2: 'end' })) as [Work];
      await disk.fill(2 ** 20);
      tally({ faults: 1 });
      const late = scenario.newWork('P1');
      await scenario.start(late);
      await eventually(async () => (await cluster.handBacks(late.sector)).includes('NoRoom'));

      await scenario.takeBack(work, 'hold');
      await scenario.untilSealed([work]);
      expect(await scenario.runs(late)).toEqual([]);
      await disk.makeRoom();
      await scenario.expectSealed([work, late]);
      expect(await scenario.runs(late)).toHaveLength(1);
    },
  );

  test('of the group: cleaning makes room even where there is none at all', async () => {
    const scenario = new Scenario(cluster, await cluster.group(), random, ENV);
    const { group } = scenario;
    const disk = await Disk.mount(group, group.directory.root, 64);
    await group.setUpDirectory(disk.path);
    const all: PhaseId[] = ['P1', 'P2', 'P3', 'P4', 'P5'];
    await group.host(1, { pools: all.map((phase): Pool => [2, phase]), engineEnv: ENV });
    await cluster.untilServed(group, all);
    const done = scenario.newWork('P5');
    await scenario.start(done);
    await scenario.untilDone(done, 'P4', 'P5');
    const [waiting] = (await caught(scenario, { P2: 'start' })) as [Work];
    await disk.fill();
    tally({ faults: 1 });
    await scenario.takeBack(waiting, 'hold');
    await untilFull(waiting.sector, 'P2', 1);

    await group.host(2, { pools: [[1, 'P6']], engineEnv: ENV });
    await scenario.untilSealed([done, waiting]);
    await disk.makeRoom();
    await scenario.expectSealed([done, waiting]);
  });

  test.runIf(COMPLETE)(
    'of the storage node: copies and receipts wait for room, all else goes on',
    async () => {
      const scenario = new Scenario(cluster, await cluster.group(), random, ENV);
      const { group } = scenario;
      const disk = await Disk.mount(group, group.node, 64);
      await group.host(1, { engineEnv: ENV });
      await cluster.untilServed(group);
      const [proving, copying] = (await caught(scenario, { P4: 'end', P5: 'middle' })) as [Work, Work];
      await disk.fill();
      tally({ faults: 2 });
      await scenario.takeBack(proving, 'hold');
      await untilFull(proving.sector, 'P6');
      // A copy that fails is deleted: that makes a little room, and receipts are small.
      await scenario.takeBack(copying, 'hold');
      const late = scenario.newWork('P5');
      await scenario.start(late);
      for (const { sector } of [copying, late]) await untilFull(sector, 'P5');
      await scenario.untilDone(late, 'P1', 'P2', 'P3', 'P4');
      await disk.makeRoom();
      await scenario.expectSealed([proving, copying, late]);
    },
  );
});
