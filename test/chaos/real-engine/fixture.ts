/** Groups of hosts with the real engine, and sectors of 8 MiB that go through P1 to P3 there. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, onTestFailed, onTestFinished, vi } from 'vitest';
import type { EngineResult } from '../../../src/engines/protocol.js';
import { startSector } from '../../../src/temporal/ask/start-sector.js';
import type { Engine } from '../../../src/engines/engine.js';
import { computeByHand } from '../../helpers/by-hand.js';
import { OwnCluster } from '../../helpers/own-cluster.js';
import type { Group, Pool } from '../../helpers/group.js';
import { builtEngine, ENGINE_TIMEOUT_MS } from '../../helpers/real-engine.js';
import type { Running } from '../../helpers/sealflow.js';

import { chaosRandom } from '../form.js';
import { newRandomness, type Begun } from '../outcome.js';
import { tally } from '../tally.js';
import { REAL_PHASES, type RealPhase } from './cells.js';
import { EngineLogs } from './log.js';

const SIZE = '8MiB';
/** Heartbeats 6 s, observation of a foreign engine 12 s, hang limit 30 s. */
const TIME_SCALE = 0.1;
/** Proof parameters of this size take hours to make: nobody serves P4, and what a sector would need it for. */
const POOLS: readonly Pool[] = [
  [2, 'P1'],
  [2, 'P2', 'P3'],
];

export type Results = Record<RealPhase, EngineResult['outputs']>;

/** What the cells of a test file share: a server, an engine, and sectors whose undisturbed results are computed once. */
export class RealFixture {
  private readonly expected = new Map<string, Promise<Results>>();
  private readonly random = chaosRandom();
  private readonly randomness = new Map<string, Pick<Begun, 'ticket' | 'seed'>>();

  constructor(
    readonly cluster: OwnCluster,
    readonly engine: Engine,
    private readonly directory: string,
  ) {}

  /** The nth sector. One that was aborted can be begun again, and must come out the same. */
  sector(n: number): Begun {
    const sector = `t01000/${n}`;
    const known = this.randomness.get(sector) ?? newRandomness(this.random);
    this.randomness.set(sector, known);
    return { sector, ...known };
  }

  /** The results of the sector's phases from the engine alone. */
  async undisturbed({ sector, ticket, seed }: Begun): Promise<Results> {
    const { command, environment } = this.engine;
    const compute = async (): Promise<Results> => {
      const directory = await mkdtemp(join(this.directory, 'undisturbed-'));
      const job = { sector, ticket, seed, size: SIZE } as const;
      const results = await computeByHand(command, directory, REAL_PHASES, job, environment);
      await rm(directory, { recursive: true });
      const { P1, P2, P3 } = results as Record<RealPhase, EngineResult>;
      return { P1: P1.outputs, P2: P2.outputs, P3: P3.outputs };
    };
    const computing = this.expected.get(sector) ?? compute();
    this.expected.set(sector, computing);
    return await computing;
  }

  /** Starts a sector in a new group with that many hosts, all of which end with the test. */
  async begin(begun: Begun, hosts: number): Promise<RealSector> {
    const group = await this.cluster.group(SIZE);
    const sector = new RealSector(this, group, begun, hosts);
    await sector.fill();
    tally({ begun: 1 });
    await startSector(this.cluster.client, {
      ...begun,
      size: SIZE,
      group: group.number,
      timeScale: TIME_SCALE,
    });
    return sector;
  }
}

/** A sector under way, alone in its group. */
export class RealSector {
  /** The workers that live, by host. */
  readonly workers = new Map<number, Running>();
  readonly logs: EngineLogs;
  private numbers = 0;

  constructor(
    readonly fixture: RealFixture,
    readonly group: Group,
    readonly begun: Begun,
    private readonly hosts: number,
  ) {
    this.logs = new EngineLogs(this.directory);
    onTestFailed(() => console.error(`${begun.sector} ${begun.ticket} ${begun.seed}\n${this.logs.story()}`));
    onTestFinished(() => this.logs.end());
    // It may be begun again in another test, whatever came of this one.
    onTestFinished(async () => {
      const handle = fixture.cluster.handle(begun.sector);
      if ((await handle.describe()).status.name === 'RUNNING') await handle.terminate('its test is over');
    });
  }

  get directory(): string {
    return this.group.sector(this.begun.sector);
  }

  /** Adds new hosts for those that are missing. */
  async fill(): Promise<void> {
    const missing = this.hosts - this.workers.size;
    await Promise.all(Array.from({ length: missing }, () => this.serve(++this.numbers)));
  }

  /** Starts the worker of a host, which may have had one before. */
  async serve(host: number): Promise<void> {
    const { command } = this.fixture.engine;
    // Cells are hit at lines of level info.
    const engine = { command, reserved_cores: 0, environment: { RUST_LOG: 'info' } };
    this.workers.set(host, await this.group.serve(host, { pools: POOLS, config: { engine } }));
  }

  hasResult = (at: string): boolean => existsSync(join(this.directory, at, 'result.json'));
}

/** The fixture of a test file. Call it at the top. @returns it, once the tests run */
export function useRealFixture(): () => RealFixture {
  vi.setConfig({ testTimeout: 600_000, hookTimeout: ENGINE_TIMEOUT_MS });
  let fixture: RealFixture | undefined;
  beforeAll(async () => {
    const engine = await builtEngine();
    const directory = await mkdtemp(join(tmpdir(), 'sealflow-real-'));
    const cluster = await OwnCluster.start();
    fixture = new RealFixture(cluster, engine, directory);
    // Makes the parent cache too: it is the user's, and no fault is to meet an engine that waits for it.
    await fixture.undisturbed(fixture.sector(1));
    return async () => {
      await cluster.end();
      await rm(directory, { recursive: true });
    };
  });
  return () => {
    if (!fixture) throw new Error('there is no fixture before the tests run');
    return fixture;
  };
}
