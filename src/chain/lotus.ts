/** The chain as a node with Lotus' API knows it. What can be checked of its answers is checked. */
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import type { NumberRange } from '../contract-chain.js';
import { ChainError, type Chain, type Draw, type Head, type PreCommit } from './chain.js';
import { JsonRpc, NodeRefusal, type JsonRpcOptions } from './json-rpc.js';
import { refuseFarHead } from './head.js';
import { beginOf, type Network } from './network.js';
import { rangesOf } from './numbers.js';
import { drawRandomness, entropyOf, TAG } from './randomness.js';

const cid = z.object({ '/': z.string() });
const headSchema = z.object({
  Height: z.int().min(0),
  Cids: z.array(cid).min(1),
  Blocks: z.array(z.object({ Timestamp: z.number() })).min(1),
});
const randomness = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === 32, 'is not 32 bytes');
const preCommitSchema = z.object({ PreCommitEpoch: z.int(), Info: z.object({ SealedCID: cid }) }).nullable();
const sectorSchema = z.object({ SealedCID: cid }).nullable();
/** The last run may be longer than a number is exact. */
const runsSchema = z.array(z.number().min(0));

type Sector = { miner: string; number: number };

export class LotusChain implements Chain {
  private readonly rpc: JsonRpc;

  constructor(
    private readonly network: Network,
    options: JsonRpcOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.rpc = new JsonRpc(options);
  }

  /** @throws ChainError when the node is behind, or of another network */
  async head(): Promise<Head> {
    const { Height: epoch, Cids: key, Blocks } = await this.rpc.call('ChainHead', [], headSchema);
    const { name } = this.network;
    const at = Math.max(...Blocks.map(({ Timestamp }) => Timestamp * 1000));
    if (at !== beginOf(this.network, epoch))
      throw new ChainError(
        `the node's chain is not ${name}: epoch ${epoch} of it was at ${new Date(at).toISOString()}, of ${name} at ${new Date(beginOf(this.network, epoch)).toISOString()}`,
      );
    refuseFarHead(this.network, epoch, this.now());
    return { epoch, at, key };
  }

  ticket = (draw: Draw, at: Head): Promise<string> => this.draw('Tickets', TAG.ticket, draw, at);
  seed = (draw: Draw, at: Head): Promise<string> => this.draw('Beacon', TAG.seed, draw, at);

  async preCommit(sector: Sector, at: Head): Promise<PreCommit | undefined> {
    const found = await this.ask('StateSectorPreCommitInfo', sector, at, preCommitSchema);
    return found ? { epoch: found.PreCommitEpoch, sealedCid: found.Info.SealedCID['/'] } : undefined;
  }

  async proved(sector: Sector, at: Head): Promise<string | undefined> {
    return (await this.ask('StateSectorGetInfo', sector, at, sectorSchema))?.SealedCID['/'];
  }

  async allocated(miner: string, at: Head): Promise<NumberRange[]> {
    return rangesOf(await this.rpc.call('StateMinerAllocated', [`f0${miner}`, at.key], runsSchema));
  }

  /** Older nodes refuse where newer ones answer null. */
  private async ask<T>(
    method: string,
    { miner, number }: Sector,
    at: Head,
    form: z.ZodType<T | null>,
  ): Promise<T | null> {
    return await this.rpc.call(method, [`f0${miner}`, number, at.key], form).catch((error: unknown) => {
      if (error instanceof NodeRefusal && /not exist|not found/i.test(error.message)) return null;
      throw error;
    });
  }

  /** The node draws, and so do we from its digest: a node that errs is not believed. */
  private async draw(
    source: 'Tickets' | 'Beacon',
    tag: number,
    { miner, epoch }: Draw,
    at: Head,
  ): Promise<string> {
    const entropy = entropyOf(miner);
    const base64 = Buffer.from(entropy).toString('base64');
    const [drawn, digest] = await Promise.all([
      this.rpc.call(`StateGetRandomnessFrom${source}`, [tag, epoch, base64, at.key], randomness),
      this.rpc
        .call(`StateGetRandomnessDigestFrom${source}`, [epoch, at.key], randomness)
        .catch((error: unknown) => {
          // Not every node has it.
          if (error instanceof NodeRefusal) return undefined;
          throw error;
        }),
    ]);
    const own = digest && Buffer.from(drawRandomness(digest, { tag, epoch, entropy }));
    if (own && !own.equals(drawn))
      throw new ChainError(
        `the node contradicts itself: for epoch ${epoch} and t0${miner} it draws ${drawn.toString('hex')}, its digest gives ${own.toString('hex')}`,
      );
    return drawn.toString('hex');
  }
}
