/** `--ticket HEX@EPOCH`: the ticket, and how long it lasts where the chain's clock is known. */
import { Option } from 'commander';
import { lifeOf } from '../chain/deadlines.js';
import { epochAt, NETWORKS, type Network } from '../chain/network.js';
import type { TicketLife } from '../contract.js';
import type { SectorSize } from '../phases.js';
import type { WhoServes } from '../temporal/ask/who-serves.js';
import { describeLife, describeNeeds, totalOf } from '../ticket.js';
import { UserError } from '../user-error.js';
import { parseCount, parseHex32 } from './arguments.js';

export interface TicketOption {
  hex: string;
  epoch?: number;
}

/** `HEX` or `HEX@EPOCH`. */
export function parseTicket(text: string): TicketOption {
  const [hex = '', epoch] = text.split('@');
  return { hex: parseHex32(hex), ...(epoch !== undefined && { epoch: parseCount(epoch) }) };
}

export const networkOption = (): Option =>
  new Option(
    '--network <name>',
    'whose epoch --ticket tells (default: the network that the orchestrators watch)',
  ).choices(Object.keys(NETWORKS));

/**
 * @param name of --network
 * @returns undefined when the ticket's epoch is not known, or nobody knows the chain's clock: then nothing is said of its age
 * @throws UserError when the epoch is still to come
 */
export async function lifeOfTicket(
  { epoch }: TicketOption,
  name: string | undefined,
  whoServes: WhoServes,
  now = Date.now(),
): Promise<TicketLife | undefined> {
  if (epoch === undefined) return undefined;
  const network = name === undefined ? await whoServes.network() : NETWORKS[name];
  if (!network) return undefined;
  refuseFuture(epoch, network, now);
  return lifeOf(network, epoch);
}

/** Minutes by which this machine's clock may be behind: no ticket is that young, as it is drawn 900 epochs back. */
const SLACK_MS = 300_000;

function refuseFuture(epoch: number, network: Network, now: number): void {
  const current = epochAt(network, now);
  if (epoch <= epochAt(network, now + SLACK_MS)) return;
  throw new UserError(`epoch ${epoch} of the ticket is still to come: ${network.name} is at ${current}`, {
    hint: 'give the epoch at which it was drawn, and --network if it is another one; or check the clock of this machine',
  });
}

/** @throws UserError when no host of the group can make P1 and P2 while the ticket lasts: with the sum */
export async function refuseStaleTicket(
  life: TicketLife,
  { group, size }: { group: number; size: SectorSize },
  whoServes: WhoServes,
  now = Date.now(),
): Promise<void> {
  const needs = await whoServes.needs(group, size);
  if (Date.parse(life.until) - now >= totalOf(needs)) return;
  throw new UserError(`${describeLife(life, now)}; ${describeNeeds(needs, `in group ${group}`)}`, {
    hint: 'draw a newer one: --ticket HEX@EPOCH; a sector that was begun with this one goes on with --force',
  });
}
