/** A stand-in for a lotus node: the JSON-RPC methods that examples/lotus.mjs asks, and a program `lotus` that sends to it. */
import { chmod, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { decode } from '@ipld/dag-cbor';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './temporary.js';

/** Everything that is sent here is told it: a message has its CID from its place. */
const CID = 'bafy2bzacefake';
export const DEPOSIT = 100_000_000_000_000_000n;
export const PLEDGE = 250_000_000_000_000_000n;
export const AVAILABLE = 30_000_000_000_000_000n;

type Asked = [method: string, ...params: unknown[]];
interface PreCommitted {
  Info: { Expiration: number };
  PreCommitDeposit: string;
  PreCommitEpoch: number;
}

export class FakeChain {
  /** It rises with each look at it. */
  height = 4_200_900;
  readonly asked: Asked[] = [];
  /** The arguments of each `lotus send`. */
  readonly sent: string[][] = [];
  private readonly preCommitted = new Map<number, PreCommitted>();
  private readonly proven = new Set<number>();

  private constructor(
    private readonly server: Server,
    /** Where the program `lotus` is. */
    readonly bin: string,
  ) {}

  /** Starts one that ends with the test. */
  static async start(): Promise<FakeChain> {
    const bin = await temporaryDirectory();
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (data: Buffer) => (body += data.toString()));
      request.on('end', () => {
        const { method, params } = JSON.parse(body) as { method: string; params: unknown[] };
        response.end(JSON.stringify(chain.answer(method.replace('Filecoin.', ''), params)));
      });
    });
    const chain = new FakeChain(server, bin);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    await writeFile(join(bin, 'lotus'), LOTUS);
    await chmod(join(bin, 'lotus'), 0o755);
    return chain;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/rpc/v1`;
  }

  private answer(method: string, params: unknown[]): { result?: unknown; error?: { message: string } } {
    this.asked.push([method, ...params]);
    try {
      return { result: this.resultOf(method, params) };
    } catch (error) {
      return { error: { message: (error as Error).message } };
    }
  }

  private resultOf(method: string, params: unknown[]): unknown {
    const number = params[1] as number;
    switch (method) {
      case 'ChainHead':
        return { Height: (this.height += 50) };
      case 'StateGetRandomnessFromTickets':
      case 'StateGetRandomnessFromBeacon':
        return Buffer.alloc(32, number % 251 || 1).toString('base64');
      case 'StateMinerSectorAllocated':
        return this.preCommitted.has(number) || this.proven.has(number);
      case 'StateSectorPreCommitInfo':
        return this.preCommitted.get(number) ?? null;
      case 'StateSectorGetInfo':
        return this.proven.has(number) ? { SectorNumber: number } : null;
      case 'StateMinerPreCommitDepositForPower':
        return String(DEPOSIT);
      case 'StateMinerInitialPledgeForSector':
        return String(PLEDGE);
      case 'StateMinerAvailableBalance':
        return String(AVAILABLE);
      case 'lotus':
        return this.lotus(params as string[]);
      default:
        throw new Error(`method '${method}' not found`);
    }
  }

  /** What `lotus ARGS` prints (lotus cli/send.go, cli/state.go). */
  private lotus(args: string[]): string {
    if (args[0] === 'state') return 'Executed in tipset: []\nExit Code: 0\nGas Used: 1\nReturn: \n';
    this.sent.push(args);
    const hex = args[args.indexOf('--params-hex') + 1] ?? '';
    const params = decode<unknown[][]>(Buffer.from(hex, 'hex'));
    if (args.includes('28')) this.preCommit(params[0] as [number, number, unknown, number, [], number][]);
    else for (const [number] of params[0] as [number][]) this.prove(number);
    return `Sending message from: f3\nSending message to: f0\nUsing Method: 28\n${CID}${this.sent.length}\n`;
  }

  private preCommit(sectors: [number, number, unknown, number, [], number][]): void {
    for (const [, number, , , , expiration] of sectors)
      this.preCommitted.set(number, {
        Info: { Expiration: expiration },
        PreCommitDeposit: String(DEPOSIT),
        PreCommitEpoch: this.height,
      });
  }

  private prove(number: number): void {
    if (!this.preCommitted.delete(number)) throw new Error(`no pre-commit of ${number}`);
    this.proven.add(number);
  }
}

const LOTUS = `#!${process.execPath}
const body = JSON.stringify({ method: 'lotus', params: process.argv.slice(2) });
fetch(process.env.LOTUS_RPC, { method: 'POST', body })
  .then((response) => response.json())
  .then(({ result, error }) => {
    if (error) console.error(error.message);
    else process.stdout.write(result);
    process.exitCode = error ? 1 : 0;
  });
`;
