/**
 * Two hosts that see the directory of their group each in its own way, up to a minute old, as NFS clients do: two sshfs mounts
 * with caches, or two mounts of a real NFS export (test/nfs.md).
 */
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readJson } from '../../src/files.js';
import { lacks } from '../helpers/abilities.js';
import { contentsOf } from '../helpers/changes.js';
import { Cluster } from '../helpers/cluster.js';
import type { Pool } from '../helpers/group.js';
import { makeViews, NFS_VIEWS } from '../helpers/views.js';
import { chaosRandom, COMPLETE } from './form.js';
import { tally } from './tally.js';
import { CAUGHT_IN, TwoHosts, type HostName } from './two-hosts.js';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/** A view is up to 60 s old; a foreign engine counts as dead after 120 s, and so it must stay in proportion. */
const TIME_SCALE = 0.6;

const needed = NFS_VIEWS ? (['network'] as const) : (['network', 'sshfs'] as const);

describe.skipIf(!COMPLETE || (await lacks(...needed)))(
  'a directory of which each host has its own view',
  () => {
    const random = chaosRandom();
    let cluster: Cluster;

    beforeAll(async () => {
      cluster = await Cluster.join();
      return () => cluster.end();
    });

    async function make() {
      const hosts = await TwoHosts.make(cluster, random);
      const views = await makeViews(hosts.group);
      const serve = (host: HostName, pools?: readonly Pool[]) =>
        hosts.serve(host, { config: { local_dir: views[host] }, ...(pools ? { pools } : {}) });
      /** Lets a host see all that is there now, and that there are no results yet; for a minute it may believe that. */
      const look = async (host: HostName): Promise<void> => {
        const paths = Object.keys(await contentsOf([join(views[host], 'nfs')]));
        const attempts = paths.filter((path) => basename(path) === 'job.json').map((path) => dirname(path));
        for (const attempt of attempts)
          for (const name of ['result.json', 'error.json']) await readJson(join(attempt, name));
      };
      return { hosts, serve, look };
    }

    /** Engines of A for sectors in P1, P2 and P5; B has looked at all of it, and serves too. */
    async function caught() {
      const scenario = await make();
      const { hosts } = scenario;
      const a = await scenario.serve('A');
      await cluster.untilServed(hosts.group);
      const works = CAUGHT_IN.map(hosts.newWork);
      for (const work of works) {
        await hosts.tell(work, 'hold');
        await hosts.start(work, TIME_SCALE);
      }
      const engines = await Promise.all(works.map((work) => hosts.engineAt(work, 1)));
      for (const work of works) await hosts.untilAlone(work);
      await scenario.look('B');
      const b = await scenario.serve('B');
      return { ...scenario, a, b, works, engines };
    }

    test('a result that a host cannot see yet is waited for, not made again', async () => {
      const { hosts, serve, look } = await make();
      await serve('A', [
        [2, 'P1'],
        [2, 'P5', 'P6'],
      ]);
      await serve('B', [[2, 'P2', 'P3', 'P4']]);
      await cluster.untilServed(hosts.group);
      const work = hosts.newWork('P1');
      await hosts.tell(work, 'hold');
      await hosts.start(work, TIME_SCALE);
      await hosts.engineAt(work, 1);
      await look('B');
      await hosts.takeBack(work, 'hold');
      await hosts.expectSealed([work]);
      expect(await hosts.runs(work)).toHaveLength(1);
      expect((await cluster.status(work.sector)).stepsBack).toBe(0);
    });

    test('a host is cut off and its engines end well: the other one finds the results', async () => {
      const { hosts, works, engines } = await caught();
      await hosts.hosts.A.cut('cable');
      tally({ faults: 1 });
      for (const work of works) await hosts.untilBusyElsewhere(work);
      for (const work of works) await hosts.takeBack(work, 'hold');
      await hosts.expectSealed(works);
      for (const [i, work] of works.entries()) expect(await hosts.runs(work)).toEqual([engines[i]]);
    });

    test('a host is cut off and its engines die: the other one takes over, and is let alone', async () => {
      const { hosts, works, engines } = await caught();
      await hosts.hosts.A.cut('cable');
      for (const work of works) await hosts.untilBusyElsewhere(work);
      for (const { pid } of engines) process.kill(pid, 'SIGKILL');
      tally({ faults: 1 + engines.length });
      const followers = await Promise.all(works.map((work) => hosts.engineAt(work, 1, 2)));
      await hosts.expectLetAlone(works, engines, followers);
    });

    test('a worker is killed with its engines: the other host takes over', async () => {
      const { hosts, a, works, engines } = await caught();
      a.kill('SIGKILL');
      for (const { pid } of engines) process.kill(pid, 'SIGKILL');
      tally({ faults: 1 + engines.length });
      await Promise.all(works.map((work) => hosts.engineAt(work, 1, 2)));
      for (const work of works) await hosts.takeBack(work, 'hold');
      await hosts.expectSealed(works);
      for (const work of works) expect(await hosts.runs(work)).toHaveLength(2);
    });
  },
);
