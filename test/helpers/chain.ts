/** A chain of a test's own: a node with Lotus' JSON-RPC on loopback, whose epochs pass fast, and what a test does to it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { epochAt, type Network } from '../../src/chain/network.js';
import { sectorOf } from '../../src/sector.js';
import { drawn, entropyOf, hash, runsOf } from './chain-draw.js';

export const COMMAND = fileURLToPath(new URL('../../examples/chain-command.mjs', import.meta.url));

/** Old enough for a ticket, whatever was drawn before. */
const BEGAN_AT = 100_000;

interface OnChain {
  sealedCid: string;
  /** When the pre-commit landed. */
  epoch: number;
  isProved: boolean;
}

/** What is wrong with the node at the moment. */
export type Fault =
  | 'down'
  | 'hangs'
  | 'slow'
  | 'behind'
  | 'other chain'
  | 'contradicts itself'
  | 'refuses the token'
  | 'no lotus'
  | 'bad gateway'
  | 'another form';

const cid = (text: string) => ({ '/': text });
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export class TestChain {
  fault: Fault | undefined;
  /** The token that it wants, if any. */
  token: string | undefined;
  /** Whether some of its rounds have no block: then its head stays behind, and nothing lands. */
  hasNullRounds = false;
  /** Methods that were asked, in their order. */
  readonly asked: string[] = [];
  private readonly sectors = new Map<string, OnChain>();
  /** Numbers that are used up for another reason, by the miner's address on mainnet. */
  private readonly usedUp = new Map<string, number[]>();

  private constructor(
    private readonly server: Server,
    readonly network: Network,
  ) {}

  /** @param epochMs length of its epochs */
  static async start(epochMs = 25): Promise<TestChain> {
    const server = createServer((request, response) => void chain.serve(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const network = {
      name: 'test',
      genesis: Math.floor(Date.now() / 1000) * 1000 - BEGAN_AT * epochMs,
      epochMs,
    };
    const chain = new TestChain(server, network);
    return chain;
  }

  end(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/rpc/v1`;
  }

  /** orchestrator.toml for it. */
  get config(): string {
    return this.configBy(`lotus_api = "${this.url}"`);
  }

  /** The same, where a program asks it: that of examples/. */
  get commandConfig(): string {
    const program = ['env', `LOTUS_RPC=${this.url}`, process.execPath, COMMAND];
    return this.configBy(`command = ${JSON.stringify(program)}`);
  }

  private configBy(source: string): string {
    const { genesis, epochMs } = this.network;
    return [
      '[chain]',
      `genesis = ${new Date(genesis).toISOString()}`,
      `epoch_seconds = ${epochMs / 1000}`,
      source,
      'timeout_sec = 2',
      'confidence = 3',
      '',
    ].join('\n');
  }

  get epoch(): number {
    return this.roundBefore(epochAt(this.network, Date.now()));
  }

  /** Two of seven rounds have no block. */
  private roundBefore(epoch: number): number {
    const isNull = this.hasNullRounds && epoch % 7 < 2;
    return isNull ? this.roundBefore(epoch - 1) : epoch;
  }

  /** Lands a pre-commit now, or moves one to now, as a reorganisation does. @returns its epoch */
  preCommit(sector: string, sealedCid: string): number {
    const epoch = this.epoch;
    this.sectors.set(keyOf(sector), { sealedCid, epoch, isProved: false });
    return epoch;
  }

  /** Uses numbers of a miner up: their sectors have expired, or were terminated. */
  useUp(miner: string, ...numbers: number[]): void {
    this.usedUp.set(miner.replace('t', 'f'), numbers);
  }

  /** A reorganisation drops the pre-commits of these last epochs; they land again now. @returns the sectors, and their new epoch */
  reorganise(epochs: number): string[] {
    const since = this.epoch - epochs;
    const moved = [...this.sectors].filter(([, { epoch, isProved }]) => epoch >= since && !isProved);
    for (const [, sector] of moved) sector.epoch = this.epoch;
    return moved.map(([key]) => key.replace('f', 't').replace(' ', '/'));
  }

  /** The epoch at which a pre-commit has landed. */
  landedAt = (sector: string): number | undefined => this.sectors.get(keyOf(sector))?.epoch;

  /**
   * The proof lands, unless it was made with the seed of a pre-commit that has moved since: the chain refuses that.
   * @param madeFor the pre-commit's epoch @returns whether it has landed
   */
  prove(sector: string, madeFor = this.landedAt(sector)): boolean {
    const found = this.sectors.get(keyOf(sector));
    if (!found) throw new Error(`${sector} is not pre-committed`);
    if (madeFor !== found.epoch) return false;
    return (found.isProved = true);
  }

  /** As the chain draws it, in one piece and without sealflow's own code. @returns hex */
  draw(source: 'Tickets' | 'Beacon', epoch: number, sector: string): string {
    const tag = source === 'Tickets' ? 5 : 6;
    const bytes = drawn(this.digestOf(source, epoch), tag, epoch, entropyOf(sectorOf(sector).miner));
    return Buffer.from(bytes).toString('hex');
  }

  /** Of a round without block, what the one before has. */
  private digestOf(source: string, epoch: number): Uint8Array {
    return hash(Buffer.from(`${source} of ${this.roundBefore(epoch)}`));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (this.fault === 'hangs') return;
    // It begins, and does not go on.
    if (this.fault === 'slow') return void response.writeHead(200).write('{"jsonrpc"');
    if (this.fault === 'bad gateway') return void response.writeHead(502).end('<h1>502 Bad Gateway</h1>');
    if (this.fault === 'down') return void response.destroy();
    if (this.fault === 'no lotus') return void response.writeHead(200).end('<html>It works!</html>');
    const wants = this.token && `Bearer ${this.token}`;
    if (this.fault === 'refuses the token' || (wants && request.headers.authorization !== wants))
      return void response.writeHead(401).end();
    const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as Call;
    this.asked.push(method);
    const answer = this.answer(method.replace('Filecoin.', ''), params);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  }

  private answer(method: string, params: readonly unknown[]): { result: unknown } | { error: object } {
    switch (method) {
      case 'ChainHead': {
        if (this.fault === 'another form') return { result: { height: this.epoch } };
        const { genesis, epochMs } = this.network;
        const height = this.epoch - (this.fault === 'behind' ? 100 : 0);
        const at = genesis + height * epochMs + (this.fault === 'other chain' ? 86_400_000 : 0);
        return {
          result: { Height: height, Cids: [cid(`head${height}`)], Blocks: [{ Timestamp: at / 1000 }] },
        };
      }
      case 'StateGetRandomnessFromTickets':
      case 'StateGetRandomnessFromBeacon': {
        const source = method.endsWith('Tickets') ? 'Tickets' : 'Beacon';
        const [tag, epoch, entropy] = params as [number, number, string];
        if (epoch > this.epoch) return { error: { code: 1, message: `epoch ${epoch} is in the future` } };
        const bytes = drawn(this.digestOf(source, epoch), tag, epoch, Buffer.from(entropy, 'base64'));
        if (this.fault === 'contradicts itself') bytes[0] = (bytes[0] ?? 0) ^ 1;
        return { result: base64(bytes) };
      }
      case 'StateGetRandomnessDigestFromTickets':
      case 'StateGetRandomnessDigestFromBeacon': {
        const source = method.endsWith('Tickets') ? 'Tickets' : 'Beacon';
        return { result: base64(this.digestOf(source, params[0] as number)) };
      }
      case 'StateSectorPreCommitInfo': {
        const found = this.sectors.get(`${String(params[0])} ${String(params[1])}`);
        if (!found || found.isProved) return { result: null };
        return { result: { PreCommitEpoch: found.epoch, Info: { SealedCID: cid(found.sealedCid) } } };
      }
      case 'StateSectorGetInfo': {
        const found = this.sectors.get(`${String(params[0])} ${String(params[1])}`);
        return { result: found?.isProved ? { SealedCID: cid(found.sealedCid) } : null };
      }
      case 'StateMinerAllocated': {
        const miner = String(params[0]);
        const own = [...this.sectors.keys()].filter((key) => key.startsWith(`${miner} `));
        const numbers = own.map((key) => Number(key.split(' ')[1]));
        return { result: runsOf([...numbers, ...(this.usedUp.get(miner) ?? [])]) };
      }
      default:
        return { error: { code: -32601, message: `method '${method}' not found` } };
    }
  }
}

interface Call {
  id: number;
  method: string;
  params: readonly unknown[];
}

/** As sealflow asks: the miner's address on mainnet, and the number. */
function keyOf(sector: string): string {
  const { miner, number } = sectorOf(sector);
  return `f0${miner} ${number}`;
}
