/**
 * Two hosts on one directory, and one of them, A, cut off from the Temporal server for longer than the timeouts. What is at work
 * there is not known to the server any more, and goes on all the same. In each test three sectors are caught at once: in P1, in
 * P2 and in P5.
 */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { lacks } from '../helpers/abilities.js';
import { contentsOf } from '../helpers/changes.js';
import { Cluster } from '../helpers/cluster.js';
import { engineRuns, type EngineRun } from '../helpers/engine.js';
import { isAlive } from '../helpers/eventually.js';
import { untilGone } from '../helpers/group.js';
import type { Cut } from '../helpers/network.js';
import { chaosRandom, COMPLETE } from './form.js';
import { tally } from './tally.js';
import { CAUGHT_IN, TwoHosts } from './two-hosts.js';

vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/** The time that a phase is given where its engine must be met in the middle; each file takes a part of it. */
const SLOW_MS = '12000';
const SUPERSEDED = '7';
const PASSING_FAULT = '3';

describe.skipIf(!COMPLETE || (await lacks('network')))('a host that is cut off from the server', () => {
  const random = chaosRandom();
  const cuts: readonly Cut[] = ['cable', 'firewall'];
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.join();
    return () => cluster.end();
  });

  /**
   * A has an engine at work for each sector, as far as `fraction`; then B serves too, and A is cut off.
   * @param settings of the engines, made before they start
   * @param whenThere what is done to an engine that is that far
   */
  async function cutOff(
    settings: Record<string, string>,
    fraction: number,
    whenThere: (engine: EngineRun) => void = () => undefined,
  ) {
    const hosts = await TwoHosts.make(cluster, random);
    const a = await hosts.serve('A');
    await cluster.untilServed(hosts.group);
    const works = CAUGHT_IN.map(hosts.newWork);
    for (const work of works)
      for (const [setting, text] of Object.entries(settings)) await hosts.tell(work, setting, text);
    const caught = works.map(async (work) => {
      await hosts.start(work);
      const engine = await hosts.engineAt(work, fraction);
      whenThere(engine);
      await hosts.untilAlone(work);
      return engine;
    });
    const engines = await Promise.all(caught);
    const b = await hosts.serve('B');
    await hosts.hosts.A.cut(cuts[random.below(cuts.length)] as Cut);
    tally({ faults: 1 });
    return { hosts, a, b, works, engines };
  }

  test('its engines end well: their results count, and the other host goes on from them', async () => {
    const { hosts, a, b, works, engines } = await cutOff({ hold: '' }, 1);
    for (const work of works) await hosts.untilBusyElsewhere(work);
    for (const work of works) await hosts.takeBack(work, 'hold');
    await hosts.expectSealed(works);
    for (const [i, work] of works.entries()) expect(await hosts.runs(work)).toEqual([engines[i]]);

    await hosts.hosts.A.heal();
    await hosts.expectGoesOn(a, b);
  });

  test('it is back before anybody took over: its engines are waited for', async () => {
    const { hosts, a, works, engines } = await cutOff({ hold: '' }, 1);
    for (const work of works) await hosts.untilBusyElsewhere(work);
    await hosts.hosts.A.heal();
    for (const [i, work] of works.entries()) await hosts.untilWatched(work, 'A', engines[i] as EngineRun);
    for (const work of works) await hosts.takeBack(work, 'hold');
    await hosts.expectSealed(works);
    for (const [i, work] of works.entries()) expect(await hosts.runs(work)).toEqual([engines[i]]);
    expect(await isAlive(a.pid)).toBe(true);
  });

  test('its engines die: the other host takes over, and is let alone when it is back', async () => {
    const { hosts, a, b, works, engines } = await cutOff({ hold: '' }, 1);
    for (const work of works) await hosts.untilBusyElsewhere(work);
    for (const { pid } of engines) process.kill(pid, 'SIGKILL');
    tally({ faults: engines.length });
    const followers = await Promise.all(works.map((work) => hosts.engineAt(work, 1, 2)));
    for (const [i, work] of works.entries())
      expect(await hosts.madeBy(work, followers[i] as EngineRun)).toBe('B');

    await hosts.expectLetAlone(works, engines, followers);
    await hosts.expectGoesOn(a, b);
  });

  /** A stands still as a whole, as a machine that is paused does. */
  async function freeze() {
    const scenario = await cutOff({ ms: SLOW_MS, blind: '1' }, 0.25, ({ pid }) =>
      process.kill(pid, 'SIGSTOP'),
    );
    scenario.a.kill('SIGSTOP');
    tally({ faults: 1 });
    for (const work of scenario.works) await scenario.hosts.takeBack(work, 'ms');
    return scenario;
  }

  /** The engines go on from where they stood, and end. @returns their exit codes */
  async function thaw({ group }: TwoHosts, engines: readonly EngineRun[]): Promise<(string | undefined)[]> {
    for (const { pid } of engines) process.kill(pid, 'SIGCONT');
    for (const { pid } of engines) await untilGone(pid);
    const ends = (await engineRuns(group.checkpoints)).filter(({ what }) => what === 'end');
    return engines.map(({ pid }) => ends.find((end) => end.pid === pid)?.words);
  }

  test('it freezes and goes on behind its successors: what its engines write late spoils nothing', async () => {
    const { hosts, a, b, works, engines } = await freeze();
    for (const work of works) await hosts.tell(work, 'hold');
    const followers = await Promise.all(works.map((work) => hosts.engineAt(work, 1, 2)));
    const before = await hosts.allBut(engines);
    const own = await hosts.filesOf(engines);

    // They write all that they have to, and only then do they see; or their directory has been deleted meanwhile.
    for (const exit of await thaw(hosts, engines)) expect([SUPERSEDED, PASSING_FAULT]).toContain(exit);
    expect(await hosts.allBut(engines)).toEqual(before);
    expect(await hosts.filesOf(engines)).not.toEqual(own);

    await hosts.hosts.A.heal();
    a.kill('SIGCONT');
    await hosts.untilServedBy('A');
    for (const work of works) await hosts.takeBack(work, 'hold');
    await hosts.expectSealed(works);
    for (const [i, work] of works.entries())
      expect(await hosts.runs(work)).toEqual([engines[i], followers[i]]);
    await hosts.expectGoesOn(a, b);
  });

  test('it freezes and goes on when the sectors are sealed: nothing comes back', async () => {
    const { hosts, a, works, engines } = await freeze();
    await hosts.untilSealed(works);
    const directories = [hosts.group.directory.root, hosts.group.node];
    const before = await contentsOf(directories);

    await thaw(hosts, engines);
    await hosts.hosts.A.heal();
    a.kill('SIGCONT');
    await hosts.untilServedBy('A');
    expect(await contentsOf(directories)).toEqual(before);
    await hosts.expectSealed(works);
  });
});
