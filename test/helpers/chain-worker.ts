/** A worker that answers what sectors ask the chain; each answer is a test's own. */
import { Worker } from '@temporalio/worker';
import { CHAIN_QUEUE, CONTRACT_VERSION } from '../../src/contract.js';
import type { ChainActivities, ChainInput, Landing } from '../../src/contract-chain.js';
import { IDENTITY, run, type Running, type Temporal } from './temporal.js';

export const DRAWN = { v: CONTRACT_VERSION, ticket: 'ca'.repeat(32), epoch: 4_100_000 } as const;
export const DRAWN_SEED = { v: CONTRACT_VERSION, seed: 'cb'.repeat(32), preCommitEpoch: 4_101_000 } as const;
export const MOVED = { v: CONTRACT_VERSION, seed: 'cc'.repeat(32), preCommitEpoch: 4_101_005 } as const;
export const LANDED: Landing = { v: CONTRACT_VERSION, landed: true };

/** Answers at once, as a chain does that is long past all that is asked. */
const READY: ChainActivities = {
  drawTicket: () => Promise.resolve(DRAWN),
  awaitSeed: () => Promise.resolve(DRAWN_SEED),
  awaitLanded: () => Promise.resolve(LANDED),
};

export class FakeChain {
  private readonly answers = new Map<string, ChainActivities>();
  private worker: Running | undefined;

  /** @param own of a sector, in place of those that answer at once */
  take(sector: string, own: Partial<ChainActivities> = {}): void {
    this.answers.set(sector, { ...READY, ...own });
  }

  async serve({ connection }: Temporal): Promise<void> {
    const ask =
      (name: keyof ChainActivities) =>
      async (input: ChainInput): Promise<unknown> => {
        const own = this.answers.get(input.sector);
        if (!own) throw new Error(`no test has ${input.sector}`);
        return await own[name](input);
      };
    const worker = await Worker.create({
      connection,
      identity: IDENTITY,
      taskQueue: CHAIN_QUEUE,
      activities: {
        drawTicket: ask('drawTicket'),
        awaitSeed: ask('awaitSeed'),
        awaitLanded: ask('awaitLanded'),
      },
      maxHeartbeatThrottleInterval: '100ms',
    });
    this.worker = run(worker);
  }

  async stop(): Promise<void> {
    await this.worker?.stop();
  }
}
