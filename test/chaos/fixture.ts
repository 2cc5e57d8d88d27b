/** A group that seals one sector after the other while its hosts die, come back, or are followed by others. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFailed } from 'vitest';
import { PHASES, type PhaseId } from '../../src/phases.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import type { OwnCluster } from '../helpers/own-cluster.js';
import { engineRuns, type EngineRun } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { filesBelow } from '../helpers/on-disk.js';
import type { Running } from '../helpers/sealflow.js';
import { chaosRandom } from './form.js';
import { newRandomness, type Begun } from './outcome.js';
import { begin } from './sectors.js';
import { tally } from './tally.js';

/**
 * Heartbeats 6 s, observation of a foreign engine 12 s, hang limit 30 s (P4: 60 s), an engine's start 3 s: less is too little
 * for Node processes on two busy cores.
 */
const TIME_SCALE = 0.1;

export const LAYERS = 4;
/** As the real engine: the last finished layer is not recorded yet when the next one is in work. */
export const ENGINE_ENVIRONMENT = { FIXTURE_LAYERS: String(LAYERS), FIXTURE_RECORDS: 'late' };

export class Fixture {
  /** Those that live, by number. */
  readonly hosts = new Map<number, Running>();
  private numbers = 0;
  private readonly random = chaosRandom();

  private constructor(
    readonly cluster: OwnCluster,
    readonly group: Group,
    private readonly wanted: number,
  ) {}

  /** A fixture with that many hosts, each of which serves all phases; it ends with the cluster. */
  static async make(cluster: OwnCluster, hosts = 1): Promise<Fixture> {
    const fixture = new Fixture(cluster, await cluster.lastingGroup(), hosts);
    await fixture.fill();
    return fixture;
  }

  /** Adds new hosts for those that did not come back. */
  async fill(): Promise<void> {
    const missing = this.wanted - this.hosts.size;
    await Promise.all(Array.from({ length: missing }, () => this.serve(++this.numbers)));
  }

  /** Starts the worker of a host, which may have had one before. */
  async serve(host: number): Promise<void> {
    this.hosts.set(host, await this.group.serve(host, { engineEnv: ENGINE_ENVIRONMENT }));
  }

  /** Starts a new sector, with seed. Call it in a test: what is known of the sector is printed when that fails. */
  async begin(sector = this.cluster.newSector()): Promise<Begun> {
    onTestFailed(async () => console.error(await this.story(sector)));
    tally({ begun: 1 });
    const begun = { sector, ...newRandomness(this.random) };
    await begin(this.cluster, this.group, begun, TIME_SCALE);
    return begun;
  }

  /** The host whose worker has the sector's phase, waiting until one has. */
  async hostOf(sector: string, phase: PhaseId): Promise<{ host: number; worker: Running }> {
    for (let found: number | undefined; ;) {
      await eventually(async () => {
        const { raw } = await this.cluster.handle(sector).describe();
        const task = raw.pendingActivities?.find(
          ({ activityType }) => activityType?.name === PHASES[phase].activity,
        );
        // An identity is `<ip>#<pid>`.
        const pid = Number(task?.lastWorkerIdentity?.split('#')[1]);
        found = [...this.hosts].find(([, worker]) => worker.pid === pid)?.[0];
        return found !== undefined;
      });
      const worker = this.hosts.get(found ?? 0);
      if (worker) return { host: found ?? 0, worker };
    }
  }

  /** What the engines of a sector have done so far. */
  async runs(sector: string): Promise<EngineRun[]> {
    const name = sectorFileName(sectorOf(sector));
    return (await engineRuns(this.group.checkpoints)).filter((run) => run.sector === name);
  }

  /** All that a person would look at. */
  private async story(sector: string): Promise<string> {
    const log = await readFile(join(this.group.checkpoints, 'engines.log'), 'utf8').catch(() => '');
    const engines = log.split('\n').filter((line) => line.includes(`${sectorFileName(sectorOf(sector))} `));
    const files = await filesBelow(this.group.sector(sector)).catch(() => []);
    const status = await this.cluster.status(sector).catch((error: unknown) => String(error));
    const said = [...this.hosts].map(([host, { said }]) => `host ${host}:\n${said.stderr.slice(-2000)}`);
    return [
      `--- ${sector}: ${JSON.stringify(status, undefined, 1)}`,
      ...engines,
      files.join('\n'),
      ...said,
    ].join('\n');
  }
}
