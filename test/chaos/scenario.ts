/** A group, and sectors that are caught in one phase or another; in the end each must be as if nothing had happened. */
import { expect, onTestFailed } from 'vitest';
import { readProgress } from '../../src/engines/progress.js';
import type { EnginePhaseId, PhaseId } from '../../src/phases.js';
import type { Cluster } from '../helpers/cluster.js';
import { engineRuns, type EngineRun } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import { untilGone, type Group } from '../helpers/group.js';
import { expectCleaned, expectNoParts, expectStored } from '../helpers/on-disk.js';
import type { Random } from '../helpers/random.js';
import { expectUndisturbed, newRandomness, type Begun } from './outcome.js';
import { tally } from './tally.js';

/** A sector, and the phase in which it is caught. */
export interface Work extends Begun {
  phase: EnginePhaseId;
}

export class Scenario {
  private readonly sealed = new Set<string>();

  /** @param env of the engines */
  constructor(
    readonly cluster: Cluster,
    readonly group: Group,
    private readonly random: Random,
    protected readonly env: NodeJS.ProcessEnv = {},
  ) {}

  /** A sector that is to be caught in a phase, not yet started. */
  newWork = (phase: EnginePhaseId): Work => ({
    sector: this.cluster.newSector(),
    phase,
    ...newRandomness(this.random),
  });

  start = (work: Work, timeScale?: number): Promise<void> => this.begin(work, work.seed, timeScale);

  /** Starts a sector that waits for its seed between P2 and P3. */
  startWithoutSeed = (work: Work): Promise<void> => this.begin(work);

  async giveSeed({ sector, seed }: Work): Promise<void> {
    expect(await this.cluster.sealflow('seed', sector, seed)).toMatchObject({ code: 0 });
  }

  private async begin({ sector, phase, ticket }: Work, seed?: string, timeScale?: number): Promise<void> {
    tally({ begun: 1 });
    await this.cluster.start(this.group, sector, { ticket, seed, timeScale });
    onTestFailed(async () => {
      const { phases } = await this.cluster.status(sector);
      console.error(`${sector}, ${phase}: ${JSON.stringify(phases, null, 1)}`);
    });
  }

  /** Sets what the engines of a work's phase do. */
  tell = ({ sector, phase }: Work, setting: string, text?: string): Promise<void> =>
    this.group.tell(sector, phase, setting, text);

  takeBack = ({ sector, phase }: Work, setting: string): Promise<void> =>
    this.group.takeBack(sector, phase, setting);

  /** The nth engine of a work, when it has come that far. */
  async engineAt({ sector, phase }: Work, fraction: number, nth = 1): Promise<EngineRun> {
    const engine = await this.group.engine(sector, phase, nth);
    const directory = this.group.attempt(sector, engine.at);
    await eventually(async () => ((await readProgress(directory))?.fraction ?? 0) >= fraction);
    return engine;
  }

  /** Waits until the first engine of a work has stopped where it was told to. */
  held = async ({ sector, phase }: Work): Promise<EngineRun> => {
    const engine = await this.group.engine(sector, phase);
    await eventually(async () =>
      (await engineRuns(this.group.checkpoints)).some(
        ({ what, pid }) => what === 'held' && pid === engine.pid,
      ),
    );
    return engine;
  };

  /** Waits until these phases of a work are done. */
  untilDone = ({ sector }: Work, ...phases: PhaseId[]): Promise<void> =>
    eventually(async () => {
      const status = await this.cluster.status(sector);
      return phases.every((phase) => status.phases[phase].state === 'done');
    });

  /** Of P4 and P5, which run at once, only the one that is caught is to be under way. */
  untilAlone = ({ sector, phase }: Work): Promise<void> =>
    eventually(async () => {
      const { P4, P5 } = (await this.cluster.status(sector)).phases;
      return (phase !== 'P5' || P4.state === 'done') && (phase !== 'P4' || P5.state === 'done');
    });

  /** The engines of a work's phase, in the order of their starts. */
  runs = ({ sector, phase }: Work): Promise<EngineRun[]> => this.group.starts(sector, phase);

  async untilSealed(works: readonly Work[]): Promise<void> {
    for (const { sector } of works) {
      await this.cluster.sealed(sector);
      if (!this.sealed.has(sector)) tally({ sealed: 1 });
      this.sealed.add(sector);
    }
  }

  /** Waits until all are sealed, and checks that nothing shows of what happened: not in the files, nor beside them. */
  async expectSealed(works: readonly Work[]): Promise<void> {
    const { node } = this.group;
    await this.untilSealed(works);
    for (const work of works) await expectUndisturbed(this.group, work, this.env);
    const sectors = works.map(({ sector }) => sector);
    await this.expectNoRemains(sectors);
    await expectStored(node, sectors);
  }

  private async expectNoRemains(sectors: readonly string[]): Promise<void> {
    try {
      for (const { pid } of await this.group.starts()) await untilGone(pid);
      await expectNoParts(this.group.node);
      await expectCleaned(this.group, sectors);
    } catch (error) {
      tally({ orphans: 1 });
      throw error;
    }
  }
}
