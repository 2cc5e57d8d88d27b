/** Faults that strike a group of several hosts at random, and how each is healed. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readResult } from '../../src/sector-directory/attempt.js';
import type { OwnCluster } from '../helpers/own-cluster.js';
import { flip } from '../helpers/damage.js';
import { engineRuns } from '../helpers/engine.js';
import { isAlive } from '../helpers/eventually.js';
import type { Group, HostOptions } from '../helpers/group.js';
import { readJsonFile } from '../helpers/on-disk.js';
import type { Random } from '../helpers/random.js';
import type { Running } from '../helpers/sealflow.js';
import type { Begun } from './outcome.js';
import { begin } from './sectors.js';
import { tally } from './tally.js';

export const FAULTS = [
  'worker killed',
  'worker ended',
  'engine killed',
  'engine stopped',
  'server killed',
  'sector cancelled',
  'host lost',
  'file damaged',
] as const;
export type FaultName = (typeof FAULTS)[number];

interface Engine {
  pid: number;
  at: string;
  sector: string;
  host: string;
}

export class Chaos {
  /** What has happened, for people. */
  readonly story: string[] = [];
  private readonly workers = new Map<number, Running>();
  private lost: number | undefined;
  private readonly spoilt = new Set<string>();

  constructor(
    private readonly cluster: OwnCluster,
    private readonly group: Group,
    private readonly random: Random,
    private readonly host: HostOptions,
    private readonly scale: number,
  ) {}

  async serve(host: number): Promise<void> {
    this.workers.set(host, await this.group.serve(host, this.host));
  }

  /** Does one fault, if there is something that it can strike. */
  async strike(fault: FaultName, all: readonly Begun[]): Promise<void> {
    if (fault !== 'host lost') await this.heal();
    const struck = await this.doIt(fault, all);
    this.story.push(`${new Date().toISOString()} ${fault}: ${struck ?? 'nothing to strike'}`);
    if (struck) tally({ faults: 1 });
  }

  /** A host that was lost comes back. */
  async heal(): Promise<void> {
    if (this.lost !== undefined) await this.serve(this.lost);
    this.lost = undefined;
  }

  /** @returns what was struck */
  private async doIt(fault: FaultName, all: readonly Begun[]) {
    switch (fault) {
      case 'worker killed':
      case 'worker ended': {
        const host = await this.endWorker(fault === 'worker killed' ? 'SIGKILL' : 'SIGTERM');
        await this.serve(host);
        return `host ${host}`;
      }
      case 'engine killed':
      case 'engine stopped': {
        const engine = this.one(await this.engines());
        if (engine) process.kill(engine.pid, fault === 'engine killed' ? 'SIGKILL' : 'SIGSTOP');
        return engine && `${engine.sector} ${engine.at}`;
      }
      case 'server killed':
        await this.cluster.killServer();
        await this.cluster.restartServer();
        return 'the server';
      case 'sector cancelled':
        return await this.cancelAndBeginAgain(all);
      case 'host lost': {
        await this.heal();
        const host = await this.endWorker('SIGKILL');
        const engines = (await this.engines()).filter((engine) => engine.host === this.group.ip(host));
        for (const { pid } of engines) process.kill(pid, 'SIGKILL');
        this.lost = host;
        return `host ${host} and ${engines.length} engines`;
      }
      case 'file damaged':
        return await this.damage(all);
    }
  }

  private async endWorker(signal: NodeJS.Signals): Promise<number> {
    const [host, worker] = this.one([...this.workers]) ?? [0, undefined];
    worker?.kill(signal);
    await worker?.ended;
    return host;
  }

  private async cancelAndBeginAgain(all: readonly Begun[]) {
    const begun = this.one(all.filter(({ sector }) => existsSync(this.group.sector(sector))));
    if (!begun) return undefined;
    const handle = this.cluster.handle(begun.sector);
    await handle.cancel();
    await handle.result().catch(() => undefined);
    const { status } = await handle.describe();
    if (status.name !== 'CANCELLED') return `${begun.sector}, which was ${status.name} before`;
    await begin(this.cluster, this.group, begun, this.scale);
    return begun.sector;
  }

  /** Turns a bit of a file that a finished attempt has recorded; of each sector once, as step backs are counted. */
  private async damage(all: readonly Begun[]): Promise<string | undefined> {
    const files: string[] = [];
    for (const { sector } of all) {
      if (this.spoilt.has(sector)) continue;
      for (const epoch of await entries(this.group.sector(sector))) {
        for (const attempt of await entries(join(this.group.sector(sector), epoch))) {
          const directory = join(this.group.sector(sector), epoch, attempt);
          if (!/^[0-9]+$/.test(epoch) || !/^P[123]-/.test(attempt)) continue;
          const recorded = (await readResult({ directory }))?.outputs.files ?? [];
          files.push(...recorded.map(({ name }) => `${sector} ${join(directory, name)}`));
        }
      }
    }
    const struck = this.one(files);
    if (!struck) return undefined;
    const [sector = '', path = ''] = struck.split(' ');
    this.spoilt.add(sector);
    // It may be cleaned at this very moment.
    await flip(path).catch(() => undefined);
    return path;
  }

  /** The engines that live, and on which host. */
  private async engines(): Promise<Engine[]> {
    const found: Engine[] = [];
    for (const { what, pid, at, sector } of await engineRuns(this.group.checkpoints)) {
      if (what !== 'start' || !(await isAlive(pid))) continue;
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const directory = command.split('\0').find((word) => word.includes(join(sector, at)));
      if (!directory?.startsWith(this.group.root)) continue;
      const job = await readJsonFile<{ madeBy: { host: string } }>(join(directory, 'job.json')).catch(
        () => undefined,
      );
      if (job) found.push({ pid, at, sector, host: job.madeBy.host });
    }
    return found;
  }

  private one<T>(of: readonly T[]): T | undefined {
    return of[this.random.below(of.length)];
  }
}

const entries = (path: string): Promise<string[]> => readdir(path).catch(() => []);
