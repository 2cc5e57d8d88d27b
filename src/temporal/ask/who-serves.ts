/** Who takes the tasks of a sector, and why a host of its group does not: by the hosts' own statements, and by who polls. */
import type { Client } from '@temporalio/client';
import type { Config } from '../../config.js';
import { CHAIN_QUEUE, controlQueue, hostsQueue, phaseQueue, WORKFLOW_QUEUE } from '../../contract.js';
import { decodeStatement, servedOf, whyNot, type HostStatement } from '../../host-statement.js';
import { networkOfName } from '../../chain/told-network.js';
import type { Network } from '../../chain/network.js';
import type { PhaseId, SectorSize } from '../../phases.js';
import { totalOf, usualNeeds, type Needs } from '../../ticket.js';
import { pollersOf, RECENT_MS, type Poller, type QueueType } from './pollers.js';

/** A host of a group, as it has last told what it serves. */
export interface ToldHost extends HostStatement {
  /** Server time in ms since 1970. */
  lastTold: number;
  /** A worker tells it anew each minute: one that has not is cut off or gone. One that stops says so. */
  isPresent: boolean;
}

export interface PhaseService {
  /** Hosts that take its tasks, as soon as they have a slot. */
  hosts: string[];
  /** Set if all of them are busy: how many slots they have, and when the first should be free (ISO 8601). */
  busy?: { slots: number; freeAbout?: string };
  /** Set if none of them takes a new sector: why. */
  noRoom?: string;
  /** Why others do not: `10.0.0.3 is drained since 14:03Z`. */
  not: string[];
}

/**
 * What the hosts of a group say of themselves, the newest first. The server forgets one five minutes after it has gone.
 * @throws ServiceError of gRPC when the server does not answer
 */
async function toldHosts(client: Client, group: number): Promise<ToldHost[]> {
  const pollers = await pollersOf(client, hostsQueue(group), 'activity');
  const told = new Map<string, ToldHost>();
  for (const { identity, lastAsked } of pollers.sort((a, b) => b.lastAsked - a.lastAsked)) {
    const statement = decodeStatement(identity);
    if (!statement) continue;
    const known = told.get(processOf(statement));
    if (known && toldAt(known) >= toldAt(statement)) continue;
    const lastTold = known?.lastTold ?? lastAsked;
    const isPresent = !statement.stopped && Date.now() - lastTold < RECENT_MS;
    told.set(processOf(statement), { ...statement, lastTold, isPresent });
  }
  return [...told.values()];
}

/**
 * The server stamps a poller's name when the poll begins and when it ends. A name that was given up may so be the newest for it,
 * but is not the last word of its process. A process without times is of an older version: the server's order counts.
 */
const toldAt = ({ told }: Pick<HostStatement, 'told'>): number => told?.getTime() ?? 0;

/**
 * What the running worker of a config tells of itself; else the last that one has told: that it stops, or what it served before it
 * was cut off. Undefined if none has told anything for five minutes, or those that run are of an older version.
 */
export async function toldHost(
  client: Client,
  { ip, size, groups, pools }: Pick<Config, 'ip' | 'size' | 'groups' | 'pools'>,
): Promise<ToldHost | undefined> {
  const phases = new Set(pools.flatMap((pool) => pool.phases));
  const isOwn = ({ configured }: ToldHost): boolean =>
    configured.length === phases.size && configured.every((phase) => phases.has(phase));
  const all = await Promise.all(groups.map((group) => toldHosts(client, group)));
  const own = all.flat().filter((host) => host.ip === ip && host.size === size && isOwn(host));
  return own.find(({ isPresent }) => isPresent) ?? own.sort((a, b) => toldAt(b) - toldAt(a))[0];
}

/** Asks the server once for each queue and group. Make one for each run of a command, as the answers become stale. */
export class WhoServes {
  private readonly asked = new Map<string, Promise<Poller[]>>();
  private readonly told = new Map<number, Promise<ToldHost[]>>();

  constructor(private readonly client: Client) {}

  /** Whether an orchestrator runs. */
  async orchestrator(): Promise<boolean> {
    return (await this.pollers(WORKFLOW_QUEUE, 'workflow')).length > 0;
  }

  /** Whether an orchestrator watches the chain. */
  async chain(): Promise<boolean> {
    return (await this.pollers(CHAIN_QUEUE, 'activity')).length > 0;
  }

  /** Whether anyone stops and aborts the sectors of a group. */
  async control(group: number): Promise<boolean> {
    return (await this.alive(controlQueue(group), group)).length > 0;
  }

  async phase(group: number, size: SectorSize, phase: PhaseId): Promise<PhaseService> {
    const queue = phaseQueue(group, size, phase);
    const hosts = await this.hosts(group);
    const own = hosts.filter((host) => host.size === size && host.configured.includes(phase));
    const present = own.filter(({ isPresent }) => isPresent);
    const takers = present.filter((host) => servedOf(host).includes(phase));
    // Those of an older version tell nothing.
    const told = new Set(hosts.map(processOf));
    const silent = (await this.pollers(queue, 'activity')).filter(({ identity }) => !told.has(identity));
    const busy = silent.length === 0 ? busyOf(takers, phase) : undefined;
    const noRoom = silent.length === 0 && phase === 'P1' ? noRoomOf(takers) : undefined;
    return {
      hosts: unique([...takers.map(({ ip }) => ip), ...silent.map(({ identity }) => addressOf(identity))]),
      ...(busy && { busy }),
      ...(noRoom && { noRoom }),
      not: reasonsOf(
        own.filter((host) => !takers.includes(host)),
        phase,
        present,
      ),
    };
  }

  /** The network that the orchestrators watch, if they tell one and the same. */
  async network(): Promise<Network | undefined> {
    const names = (await this.pollers(CHAIN_QUEUE, 'activity')).map(({ identity }) =>
      networkOfName(identity),
    );
    const [first, ...others] = names.filter((network) => network !== undefined);
    const isSame = ({ genesis, epochMs }: Network): boolean =>
      genesis === first?.genesis && epochMs === first.epochMs;
    return others.every(isSame) ? first : undefined;
  }

  /** What P1 and P2 take on the fastest host of a group that begins sectors; where none tells it, what the table says. */
  async needs(group: number, size: SectorSize): Promise<Needs> {
    const told = (await this.hosts(group)).filter(
      (host) => host.isPresent && host.size === size && servedOf(host).includes('P1'),
    );
    const needs = told.flatMap((host) => host.needs ?? []).sort((a, b) => totalOf(a) - totalOf(b));
    return needs[0] ?? usualNeeds(size);
  }

  private hosts(group: number): Promise<ToldHost[]> {
    const hosts = this.told.get(group) ?? toldHosts(this.client, group);
    this.told.set(group, hosts);
    return hosts;
  }

  /** The pollers of a queue but those of workers that are gone by their own word. */
  private async alive(queue: string, group: number): Promise<Poller[]> {
    const gone = new Set((await this.hosts(group)).filter(({ isPresent }) => !isPresent).map(processOf));
    return (await this.pollers(queue, 'activity')).filter(({ identity }) => !gone.has(identity));
  }

  private pollers(queue: string, type: QueueType): Promise<Poller[]> {
    const key = `${type} ${queue}`;
    const pollers = this.asked.get(key) ?? pollersOf(this.client, queue, type);
    this.asked.set(key, pollers);
    return pollers;
  }
}

const processOf = ({ ip, pid }: { ip: string; pid: number }): string => `${ip}#${pid}`;
const addressOf = (identity: string): string => identity.split('#')[0] ?? '';
const unique = (names: readonly string[]): string[] => [...new Set(names.filter(Boolean))].sort();

/** Set if no host has a free slot in any of its pools with the phase. */
function busyOf(hosts: readonly HostStatement[], phase: PhaseId): PhaseService['busy'] {
  const pools = hosts.flatMap((host) => host.pools.filter(({ phases }) => phases.includes(phase)));
  if (pools.length === 0 || pools.some(({ slots, taken }) => taken < slots)) return undefined;
  const ends = pools.flatMap(({ freeAbout }) => freeAbout?.getTime() ?? []);
  const slots = pools.reduce((sum, pool) => sum + pool.slots, 0);
  return { slots, ...(ends.length > 0 && { freeAbout: new Date(Math.min(...ends)).toISOString() }) };
}

function noRoomOf(hosts: readonly HostStatement[]): string | undefined {
  const reasons = unique(hosts.map(({ noRoom }) => noRoom?.reason ?? ''));
  return hosts.every(({ noRoom }) => noRoom) ? reasons[0] : undefined;
}

/** `10.0.0.3 10.0.0.4: drained since 14:03Z`: hosts with the same reason together. A worker that another one follows is not named. */
function reasonsOf(hosts: readonly ToldHost[], phase: PhaseId, present: readonly ToldHost[]): string[] {
  const followed = (host: ToldHost): boolean => !host.isPresent && present.some(({ ip }) => ip === host.ip);
  const byReason = new Map<string, string[]>();
  for (const host of hosts.filter((one) => !followed(one))) {
    const reason = host.isPresent
      ? `: ${whyNot(host, phase) ?? ''}`
      : ` did until ${new Date(host.lastTold).toISOString()}`;
    byReason.set(reason, [...(byReason.get(reason) ?? []), host.ip]);
  }
  return [...byReason].map(([reason, ips]) => `${unique(ips).join(' ')}${reason}`).sort();
}
