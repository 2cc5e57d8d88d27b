/** Two hosts of one group, A and B, on a network on which A can be cut off; sectors that A has engines for in several phases. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import { sectorStatus } from '../../src/temporal/ask/sector-status.js';
import { controlQueue } from '../../src/contract.js';
import { cacheDir } from '../../src/paths.js';
import type { EnginePhaseId } from '../../src/phases.js';
import { sectorOf } from '../../src/sector.js';
import { contentsOf } from '../helpers/changes.js';
import type { Cluster } from '../helpers/cluster.js';
import type { EngineRun } from '../helpers/engine.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import type { HostOptions } from '../helpers/group.js';
import { makeNetwork, type NetworkHost } from '../helpers/network.js';
import { readJsonFile } from '../helpers/on-disk.js';
import type { Random } from '../helpers/random.js';
import type { Running } from '../helpers/sealflow.js';
import { Scenario, type Work } from './scenario.js';

export type HostName = 'A' | 'B';

/** The phases of the question, each of another nature: goes on from layers; all or nothing; writes on a storage node. */
export const CAUGHT_IN: readonly EnginePhaseId[] = ['P1', 'P2', 'P5'];

export class TwoHosts extends Scenario {
  private readonly numbers = { A: 1, B: 2 };

  private constructor(
    readonly hosts: Record<HostName, NetworkHost>,
    private readonly schedulerUrl: string,
    ...scenario: ConstructorParameters<typeof Scenario>
  ) {
    super(...scenario);
  }

  /** They end with the test. @param env of their engines */
  static async make(cluster: Cluster, random: Random, env: NodeJS.ProcessEnv = {}): Promise<TwoHosts> {
    const network = await makeNetwork();
    const hosts = { A: await network.host(), B: await network.host() };
    const schedulerUrl = `http://${await network.offer(cluster.address)}`;
    return new TwoHosts(hosts, schedulerUrl, cluster, await cluster.group(), random, env);
  }

  /** Starts a host's worker, and waits until it serves. */
  serve(
    host: HostName,
    { config, ...options }: Pick<HostOptions, 'pools' | 'config'> = {},
  ): Promise<Running> {
    const { ip, through } = this.hosts[host];
    return this.group.serve(this.numbers[host], {
      ...options,
      config: { scheduler_url: this.schedulerUrl, ip, ...config },
      engineEnv: this.env,
      run: { through },
    });
  }

  /** Waits until a host has met the engine of another one and given the task back. */
  untilBusyElsewhere = ({ sector }: Work): Promise<void> =>
    eventually(async () => (await this.cluster.handBacks(sector)).includes('BusyElsewhere'));

  /** Waits until a host's worker waits for an engine, as far as the server knows. */
  untilWatched = ({ sector }: Work, host: HostName, { at }: EngineRun): Promise<void> =>
    eventually(async () => {
      const engines = (await sectorStatus(this.cluster.client, sectorOf(sector)))?.engines ?? [];
      return engines.some(
        (seen) => seen.at === at && seen.host === this.hosts[host].ip && seen.fraction !== null,
      );
    });

  /** Waits until a host asks for work once more. */
  async untilServedBy(host: HostName): Promise<void> {
    const since = Date.now();
    const { client } = this.cluster;
    await eventually(async () => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: controlQueue(this.group.number) },
        taskQueueType: 2, // TASK_QUEUE_TYPE_ACTIVITY; the enum lies in a package that is not ours
      });
      return pollers.some(
        ({ identity, lastAccessTime }) =>
          identity?.startsWith(`${this.hosts[host].ip}#`) && Number(lastAccessTime?.seconds) * 1000 > since,
      );
    });
  }

  /** The host whose worker made an attempt. */
  async madeBy({ sector }: Work, { at }: EngineRun): Promise<HostName | 'nobody'> {
    const { madeBy } = await readJsonFile<{ madeBy: { host: string } }>(
      this.group.attempt(sector, at, 'job.json'),
    );
    return (
      (Object.keys(this.hosts) as HostName[]).find((name) => this.hosts[name].ip === madeBy.host) ?? 'nobody'
    );
  }

  /** All files of the group, and on its storage node, but those that only these engines may write. */
  async allBut(engines: readonly EngineRun[]): Promise<Record<string, string>> {
    const { directory, node } = this.group;
    const own = await Promise.all(engines.map((engine) => this.ownTo(engine)));
    // A live engine refreshes its progress.
    return await contentsOf(
      [directory.root, node],
      (path) => own.flat().includes(path) || basename(path) === 'progress.json',
    );
  }

  /** What these engines have written so far, where only they may write. */
  async filesOf(engines: readonly EngineRun[]): Promise<Record<string, string>> {
    const own = (await Promise.all(engines.map((engine) => this.ownTo(engine)))).flat();
    return await contentsOf(
      own.filter((path) => existsSync(path)),
      (path) => basename(path) === 'progress.json',
    );
  }

  /** Its attempt, under the name that it may get when it is superseded too, and where it copies to. */
  private async ownTo({ sector, at }: EngineRun): Promise<string[]> {
    const attempt = join(cacheDir(this.group.directory), sector, at);
    const names = [attempt, join(dirname(attempt), `gone-${basename(attempt)}`)];
    const here = names.find((name) => existsSync(name));
    const job = here && (await readJsonFile<{ copy?: { staging: string } }>(join(here, 'job.json')));
    const copy = job ? job.copy : undefined;
    return [...names, ...(copy ? [join(this.group.node, copy.staging)] : [])];
  }

  /** A, whose engines have died, is back: it leaves those that have followed on B alone, and they end the sectors. */
  async expectLetAlone(
    works: readonly Work[],
    engines: readonly EngineRun[],
    followers: readonly EngineRun[],
  ): Promise<void> {
    await this.hosts.A.heal();
    await this.untilServedBy('A');
    for (const work of works) await this.takeBack(work, 'hold');
    await this.expectSealed(works);
    for (const [i, work] of works.entries())
      expect(await this.runs(work)).toEqual([engines[i], followers[i]]);
  }

  /** A host alone seals one more sector: it goes on. @param other the other host's worker, which ends */
  async expectGoesOn(worker: Running, other: Running): Promise<void> {
    other.kill('SIGKILL');
    await other.ended;
    const work = this.newWork('P1');
    await this.start(work);
    await this.untilSealed([work]);
    expect(await isAlive(worker.pid)).toBe(true);
  }
}
