/** A cluster whose orchestrator watches a chain of the test's own, with a group, and what the operator's own programs do. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sectorCid } from '../../src/chain/cids.js';
import { TestChain } from './chain.js';
import { eventually } from './eventually.js';
import type { Group } from './group.js';
import { OwnCluster } from './own-cluster.js';
import { startSealflow, type End, type Running } from './sealflow.js';

export class ChainSite {
  private constructor(
    private readonly directory: string,
    readonly chain: TestChain,
    readonly cluster: OwnCluster,
    readonly group: Group,
  ) {}

  static async start(): Promise<ChainSite> {
    const chain = await TestChain.start();
    const directory = await mkdtemp(join(tmpdir(), 'sealflow-chain-'));
    const config = join(directory, 'orchestrator.toml');
    await writeFile(config, chain.config);
    const cluster = await OwnCluster.start(undefined, '--config', config);
    const group = await cluster.lastingGroup();
    await group.host(1);
    await cluster.untilServed(group);
    return new ChainSite(directory, chain, cluster, group);
  }

  async end(): Promise<void> {
    await this.cluster.end();
    this.chain.end();
    await rm(this.directory, { recursive: true });
  }

  start = (...args: string[]): Promise<End> =>
    this.cluster.sealflow(
      ...['start', ...args, '--group', String(this.group.number), '--size', this.group.size],
      ...['--time-scale', '0.2'],
    );

  /** Another one, as a process. @param config its orchestrator.toml */
  async orchestrator(config: string): Promise<Running> {
    const file = join(this.directory, 'another.toml');
    await writeFile(file, config);
    const running = startSealflow(['orchestrator', '--address', this.cluster.address, '--config', file]);
    await running.until('orchestrator ready');
    return running;
  }

  /** The pre-commit lands as soon as there is a commR. @returns its epoch */
  preCommits = async (sector: string, change = (cid: string): string => cid): Promise<number> => {
    await eventually(async () => (await this.cluster.status(sector)).commR !== undefined);
    const commR = (await this.cluster.status(sector)).commR ?? '';
    return this.chain.preCommit(sector, change(sectorCid(Buffer.from(commR, 'base64'))));
  };

  isIn = (sector: string, state: string) => async (): Promise<boolean> =>
    (await this.cluster.status(sector)).state === state;

  shown = async (sector: string): Promise<string> => (await this.cluster.sealflow('status', sector)).stdout;

  /** Until the proofs of these are on chain: it pre-commits and proves whatever is that far, but for some that it forgets. */
  async operate(sectors: readonly string[], forgets: readonly string[] = []): Promise<void> {
    const { chain } = this;
    const left = new Set(sectors.filter((sector) => !forgets.includes(sector)));
    await eventually(async () => {
      for (const sector of await this.sectorsIn('waiting-for-seed'))
        if (left.has(sector) && chain.landedAt(sector) === undefined) await this.preCommits(sector);
      for (const sector of await this.sectorsIn('waiting-for-landed'))
        if (left.has(sector) && chain.prove(sector, (await this.cluster.status(sector)).preCommitEpoch))
          left.delete(sector);
      return left.size === 0;
    });
  }

  /** As people find them in lists. */
  private async sectorsIn(state: string): Promise<string[]> {
    const sectors: string[] = [];
    const query = `SealState = '${state}' AND ExecutionStatus = 'Running'`;
    for await (const { workflowId } of this.cluster.client.workflow.list({ query }))
      sectors.push(workflowId.replace(/^seal-(.*)-/, '$1/'));
    return sectors;
  }
}
