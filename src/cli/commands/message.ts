import { Argument, Command, InvalidArgumentError } from 'commander';
import { DEFAULT_LIFETIME_DAYS, MAX_LIFETIME_DAYS, MIN_LIFETIME_DAYS } from '../../chain/expiration.js';
import { preCommitSectorBatch2, proveCommitSectors3 } from '../../chain/miner-messages.js';
import { EPOCHS_IN_DAY, MAX_TICKET_AGE } from '../../chain/policy.js';
import { bySector, sectorName, type SectorId } from '../../sector.js';
import { sectorStatus } from '../../temporal/ask/sector-status.js';
import { WhoServes } from '../../temporal/ask/who-serves.js';
import { UserError } from '../../user-error.js';
import { parseCount, parseSectors, SECTORS } from '../arguments.js';
import { askingClient, refuseLeft, tryEach } from '../each-sector.js';
import { MessageBatch } from '../message/batch.js';
import { describeMessage } from '../message/describe.js';
import type { MessageKind } from '../message/form.js';
import { toPreCommit, toProveCommit, type Expiration } from '../message/sectors.js';
import { preCommitValue, proveCommitValue } from '../message/value.js';
import { print, printJson } from '../process.js';
import { withServer, type ServerOptions } from '../server.js';

interface PreCommitFlags {
  expiration?: number;
  /** Epochs */
  lifetime?: number;
  ticketEpoch?: number;
}

interface MessageOptions extends ServerOptions, PreCommitFlags {
  json?: boolean;
}

export const messageCommand = (): Command =>
  withServer(new Command('message'))
    .description('make the messages that put sectors on chain, ready to be sent; it sends nothing')
    .addArgument(new Argument('<message>', 'which').choices(['precommit', 'prove-commit']))
    .argument('<sectors...>', SECTORS, parseSectors)
    .option(
      '--lifetime <days>',
      `precommit: expire so many days after the ticket's epoch, ${MIN_LIFETIME_DAYS}d to ${MAX_LIFETIME_DAYS}d (default: ${DEFAULT_LIFETIME_DAYS}d)`,
      parseLifetime,
    )
    .option('--expiration <epoch>', 'precommit: expire at this epoch', parseCount)
    .option(
      '--ticket-epoch <epoch>',
      'precommit: of sectors that were started with --ticket HEX, without @EPOCH',
      parseCount,
    )
    .option('--json', 'print JSON')
    .action(async (kind: MessageKind, sectors: SectorId[], { json, ...options }: MessageOptions) => {
      const batch = kind === 'precommit' ? preCommits(options) : proveCommits(options);
      const client = await askingClient(options);
      const whoServes = new WhoServes(client);
      const refused = await tryEach(sectors.toSorted(bySector), async (sector) => {
        const status = await sectorStatus(client, sector, whoServes);
        if (!status) throw new UserError(`no workflow found for ${sectorName(sector)}`, { exitCode: 1 });
        batch.add(status);
      });
      for (const message of batch.messages()) {
        if (json) printJson(message);
        else print(describeMessage(message));
      }
      refuseLeft(refused, 'in a message');
    });

/** @throws UserError when both say when sectors expire */
function preCommits({ lifetime, expiration, ticketEpoch }: PreCommitFlags) {
  if (lifetime !== undefined && expiration !== undefined)
    throw new UserError('--lifetime and --expiration both say when sectors expire: give one of them');
  const wanted: Expiration =
    expiration === undefined
      ? { lifetime: lifetime ?? DEFAULT_LIFETIME_DAYS * EPOCHS_IN_DAY }
      : { epoch: expiration };
  return new MessageBatch({
    kind: 'precommit',
    read: (status) => toPreCommit(status, { expiration: wanted, ticketEpoch }),
    encode: preCommitSectorBatch2,
    tell: (miner, sectors) => ({
      landBy: Math.min(...sectors.map((one) => one.ticketEpoch)) + MAX_TICKET_AGE,
      value: preCommitValue(miner, sectors),
    }),
  });
}

/** @throws UserError when an option is the other message's */
function proveCommits({ lifetime, expiration, ticketEpoch }: PreCommitFlags) {
  const given = Object.entries({ lifetime, expiration, 'ticket-epoch': ticketEpoch });
  const [wrong] = given.find(([, value]) => value !== undefined) ?? [];
  if (wrong !== undefined)
    throw new UserError(`--${wrong} belongs to the pre-commit: a prove-commit does not name it`);
  return new MessageBatch({
    kind: 'prove-commit',
    read: toProveCommit,
    encode: proveCommitSectors3,
    tell: (miner, sectors, size) => ({ value: proveCommitValue(miner, sectors, size) }),
  });
}

/** `540d` @returns epochs */
function parseLifetime(text: string): number {
  const days = Number(/^([0-9]{1,6})d$/.exec(text)?.[1]);
  if (!(days >= MIN_LIFETIME_DAYS && days <= MAX_LIFETIME_DAYS))
    throw new InvalidArgumentError(
      `It must be in days, from ${MIN_LIFETIME_DAYS}d to ${MAX_LIFETIME_DAYS}d, the chain's bounds.`,
    );
  return days * EPOCHS_IN_DAY;
}
