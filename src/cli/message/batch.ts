/** Sectors that go into messages of one kind: those of a miner together, in as few messages as they fit into. */
import type { MinerMessage } from '../../chain/miner-messages.js';
import { splitMessages } from '../../chain/split.js';
import type { SectorSize } from '../../phases.js';
import { minerName, sectorOf } from '../../sector.js';
import type { SectorStatus } from '../../temporal/ask/sector-status.js';
import { UserError } from '../../user-error.js';
import type { MessageForm, MessageKind } from './form.js';

/** What all kinds of messages have of a sector. */
interface Entry {
  number: number;
  size: SectorSize;
}

/** How messages of one kind are made. */
export interface MessageMaker<T extends Entry> {
  kind: MessageKind;
  /** @throws UserError when the sector cannot be in one */
  read: (status: SectorStatus) => T;
  encode: (sectors: readonly T[]) => MinerMessage;
  /** What the operator has to know beside. */
  tell: (miner: string, sectors: readonly T[], size: SectorSize) => Pick<MessageForm, 'landBy' | 'value'>;
}

export class MessageBatch<T extends Entry> {
  private readonly miners = new Map<string, { size: SectorSize; entries: T[] }>();

  constructor(private readonly maker: MessageMaker<T>) {}

  /** @throws UserError (exit 1) when it cannot be in a message */
  add(status: SectorStatus): void {
    const entry = this.maker.read(status);
    const miner = minerName(sectorOf(status.sector));
    const { size, entries } = this.miners.get(miner) ?? { size: entry.size, entries: [] };
    if (entry.size !== size)
      throw new UserError(
        `${status.sector} has ${entry.size}: with sectors of ${size} the chain refuses it`,
        {
          exitCode: 1,
          hint: 'all sectors of a miner are of the same size',
        },
      );
    this.miners.set(miner, { size, entries: [...entries, entry] });
  }

  /** In the order in which the sectors came. */
  messages(): MessageForm[] {
    return [...this.miners].flatMap(([miner, { size, entries }]) =>
      splitMessages(entries, this.maker.encode).map(({ sectors, message }) => ({
        ...formOf(this.maker.kind, miner, sectors, message),
        ...this.maker.tell(miner, sectors, size),
      })),
    );
  }
}

function formOf(
  kind: MessageKind,
  to: string,
  sectors: readonly Entry[],
  { method, methodName, params, decoded }: MinerMessage,
): Omit<MessageForm, 'value'> {
  const bytes = Buffer.from(params);
  return {
    message: kind,
    sectors: sectors.map(({ number }) => `${to}/${number}`),
    ...{ to, method, methodName },
    params: { hex: bytes.toString('hex'), base64: bytes.toString('base64'), decoded },
  };
}
