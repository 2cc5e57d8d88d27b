/**
 * The chain as a program of the operator's own knows it (`[chain] command`). It tells what is there; what follows from it is decided
 * in answers.ts, as with a node. docs/reference.md has its questions and answers.
 */
import { z } from 'zod';
import { CONTRACT_VERSION, randomnessSchema } from '../contract.js';
import type { NumberRange } from '../contract-chain.js';
import { ChainError, type Chain, type Draw, type Head, type PreCommit } from './chain.js';
import { refuseFarHead } from './head.js';
import { beginOf, type Network } from './network.js';
import { rangesOf } from './numbers.js';
import { askProgram, type ProgramOptions } from './program.js';

const epoch = z.int().min(0);
const cid = z.string().startsWith('bagboea4b5abc', 'must be a CID like bagboea4b5abc…');
const landedSchema = z.object({
  preCommit: z.object({ epoch, sealedCid: cid }).nullable(),
  proved: cid.nullable(),
});
type Landed = z.infer<typeof landedSchema>;

type Sector = { miner: string; number: number };

/** So many of its processes run at once: hundreds of sectors may wait. */
const MAX_AT_ONCE = 4;

export class CommandChain implements Chain {
  /** The head that all share for a while: hundreds of sectors ask for it at once. */
  private shared: { head: Promise<Head>; until: number } | undefined;
  /** The last one: within an epoch nothing is asked twice. */
  private latest: Head | undefined;
  /** What is known of sectors, by head: pre-commit and proof come in one answer. */
  private readonly known = new WeakMap<Head, Map<string, Promise<Landed>>>();
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly network: Network,
    private readonly program: ProgramOptions,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws ChainError when the program is behind, or either clock is wrong */
  head(): Promise<Head> {
    if (this.shared && this.shared.until > this.now()) return this.shared.head;
    const shared = { head: this.newHead(), until: Infinity };
    this.shared = shared;
    const settle = (): void => {
      shared.until = this.now() + this.network.epochMs / 4;
    };
    shared.head.then(settle, settle);
    return shared.head;
  }

  ticket = async ({ miner, epoch: of }: Draw): Promise<string> =>
    (await this.ask('ticket', { miner: `t0${miner}`, epoch: of }, z.object({ ticket: randomnessSchema() })))
      .ticket;

  seed = async ({ miner, epoch: of }: Draw): Promise<string> =>
    (await this.ask('seed', { miner: `t0${miner}`, epoch: of }, z.object({ seed: randomnessSchema() }))).seed;

  preCommit = async (sector: Sector, at: Head): Promise<PreCommit | undefined> =>
    (await this.landed(sector, at)).preCommit ?? undefined;

  proved = async (sector: Sector, at: Head): Promise<string | undefined> =>
    (await this.landed(sector, at)).proved ?? undefined;

  async allocated(miner: string): Promise<NumberRange[]> {
    const runs = z.object({ allocated: z.array(z.number().min(0)) });
    return rangesOf((await this.ask('numbers', { miner: `t0${miner}` }, runs)).allocated);
  }

  private async newHead(): Promise<Head> {
    const head = await this.ask('head', {}, z.object({ epoch }));
    refuseFarHead(this.network, head.epoch, this.now());
    if (this.latest?.epoch !== head.epoch)
      this.latest = { epoch: head.epoch, at: beginOf(this.network, head.epoch), key: undefined };
    return this.latest;
  }

  private landed({ miner, number }: Sector, at: Head): Promise<Landed> {
    const sectors = this.known.get(at) ?? new Map<string, Promise<Landed>>();
    this.known.set(at, sectors);
    const sector = `t0${miner}/${number}`;
    const known = sectors.get(sector) ?? this.ask('landed', { sector }, landedSchema);
    sectors.set(sector, known);
    known.catch(() => sectors.delete(sector));
    return known;
  }

  /** @throws ChainError */
  private async ask<T>(what: string, about: object, form: z.ZodType<T>): Promise<T> {
    const answer = await this.inTurn(() =>
      askProgram(this.program, { v: CONTRACT_VERSION, ask: what, ...about }),
    );
    const parsed = form.safeParse(answer);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const where = issue?.path.join('.') ?? '';
    throw new ChainError(
      `${this.program.command.join(' ')} answers ${what} in another form: ${where && `${where}: `}${issue?.message}`,
    );
  }

  private async inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.running >= MAX_AT_ONCE) await new Promise<void>((go) => this.queue.push(go));
    else this.running++;
    try {
      return await act();
    } finally {
      // The next one takes the place over.
      const next = this.queue.shift();
      if (next) next();
      else this.running--;
    }
  }
}
