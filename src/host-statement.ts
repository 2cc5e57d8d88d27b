/**
 * What a host says of itself: what it serves, why not the rest, and whether its slots are taken. A worker tells it the server as the
 * name under which it polls a queue of its group that never has tasks (`hostsQueue`). The server lists for five minutes who polled
 * a queue: so whoever can ask the server knows it, on any machine, and no task has to be taken and handed back for it.
 */
import { z } from 'zod';
import { readable } from './contract.js';
import { PHASE_IDS, SECTOR_SIZE_NAMES, type PhaseId } from './phases.js';
import { sinceText } from './units.js';

const phases = z.array(z.enum(PHASE_IDS)).readonly();
const time = z.coerce.date();

const took = z.object({ ms: z.number(), of: z.int() });

const statement = z.object({
  v: z.int().refine((v) => readable(v)),
  /** Of sealflow. */
  version: z.string(),
  /** When this was told, by the host's clock: the newest of a process counts. Older versions do not say it. */
  told: time.optional(),
  size: z.enum(SECTOR_SIZE_NAMES),
  /** The phases of the config. */
  configured: phases,
  /** What is not in order; without phases it is only worth knowing. Without a time: as long as the config is as it is. */
  obstacles: z.array(z.object({ phases, reason: z.string(), since: time.optional() })),
  /** Since when the host is drained. */
  drained: time.optional(),
  /** Why P1 takes no new sector; those begun before go on. */
  noRoom: z.object({ reason: z.string(), since: time }).optional(),
  /** The slots; of a pool that is full, when the first is expected to be free. */
  pools: z.array(z.object({ phases, slots: z.int(), taken: z.int(), freeAbout: time.optional() })),
  /** What P1 and P2 take there; older versions do not say it. */
  needs: z.object({ P1: took, P2: took }).optional(),
  /** Its last word: the worker ends. */
  stopped: time.optional(),
});

export type HostStatement = z.infer<typeof statement> & { ip: string; pid: number };

/** What a host serves, and why not the rest. */
export type ServingFacts = Pick<HostStatement, 'configured' | 'obstacles' | 'drained' | 'noRoom'>;
export type Obstacle = HostStatement['obstacles'][number];

export const servedOf = ({ configured, obstacles, drained }: ServingFacts): PhaseId[] =>
  drained ? [] : configured.filter((phase) => !obstacles.some((one) => one.phases.includes(phase)));

/** `serves P1 P4; not P5 P6: /mnt/nfs/10.10.4.23 is not mounted (since 14:03Z)` */
export function statementOf(facts: ServingFacts, now = new Date()): string {
  const { obstacles, drained, noRoom } = facts;
  const because = (one: Omit<Obstacle, 'phases'>): string => reasonOf(one, now);
  const served = servedOf(facts).join(' ') || 'nothing';
  return [
    `serves ${served}${drained ? `: ${drainedText(drained, now)} (sealflow undrain ends that)` : ''}`,
    ...obstacles
      .filter((one) => one.phases.length > 0)
      .map((one) => `not ${one.phases.join(' ')}: ${because(one)}`),
    ...(noRoom ? [`P1 takes no new sector: ${because(noRoom)}`] : []),
    ...obstacles.filter((one) => one.phases.length === 0).map(because),
  ].join('; ');
}

/** Why a host serves no task of a phase that its config has; undefined if it does. */
export function whyNot(facts: ServingFacts, phase: PhaseId, now = new Date()): string | undefined {
  if (facts.drained) return drainedText(facts.drained, now);
  const obstacle = facts.obstacles.find((one) => one.phases.includes(phase));
  return obstacle && reasonOf(obstacle, now);
}

const drainedText = (drained: Date, now: Date): string => `drained since ${sinceText(drained, now)}`;
const reasonOf = ({ reason, since }: Omit<Obstacle, 'phases'>, now: Date): string =>
  since ? `${reason} (since ${sinceText(since, now)})` : reason;

/** The name of a poller may have so many bytes (Temporal, `limit.maxIDLength`). */
const MAX_BYTES = 1000;
/** Characters of a reason that are kept, as many as fit. */
const REASON_LENGTHS = [500, 200, 100, 60, 30, 0];

/** The statement as the name of a poller: `10.10.10.33#4711 {…}`. Long reasons are cut, then obstacles left out. */
export function encodeStatement({ ip, pid, ...rest }: HostStatement): string {
  for (const length of REASON_LENGTHS) {
    const name = `${ip}#${pid} ${JSON.stringify(shortened(rest, length))}`;
    if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  }
  const all = { phases: rest.configured, reason: 'too much is wrong to be told: see its log' };
  return `${ip}#${pid} ${JSON.stringify({ ...rest, noRoom: undefined, obstacles: [all] })}`;
}

/** @returns undefined if the name is no statement, or one of a newer sealflow */
export function decodeStatement(name: string): HostStatement | undefined {
  const [, ip, pid, json = ''] = /^(\S+)#(\d+) (\{.*)$/s.exec(name) ?? [];
  if (ip === undefined) return undefined;
  const parsed = statement.safeParse(parseJson(json)).data;
  return parsed && { ...parsed, ip, pid: Number(pid) };
}

function shortened(
  told: Omit<HostStatement, 'ip' | 'pid'>,
  length: number,
): Omit<HostStatement, 'ip' | 'pid'> {
  const cut = <T extends { reason: string }>(one: T): T =>
    one.reason.length <= length ? one : { ...one, reason: `${one.reason.slice(0, length)}…` };
  const { noRoom, obstacles } = told;
  return { ...told, obstacles: obstacles.map(cut), ...(noRoom && { noRoom: cut(noRoom) }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
