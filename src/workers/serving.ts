/**
 * What this host serves, and why not the rest: the one place that knows. It is said in one statement, in the log at the start and
 * after each change, and the same in `sealflow health`, `doctor` and the gauges.
 */
import { PHASE_IDS, type PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import { sinceText } from '../units.js';
import type { Gauges } from './gauges.js';
import type { Obstacle } from './readiness.js';

/** What a statement is made of. */
export interface ServingFacts {
  /** The phases of the config. */
  configured: readonly PhaseId[];
  obstacles: readonly Obstacle[];
  /** Since when the host is drained. */
  drained?: Date | undefined;
  /** Why P1 takes no new sector; those begun before go on. */
  noRoom?: { reason: string; since: Date } | undefined;
}

export const servedOf = ({ configured, obstacles, drained }: ServingFacts): PhaseId[] =>
  drained ? [] : configured.filter((phase) => !obstacles.some(({ phases }) => phases.includes(phase)));

/** `serves P1 P4; not P5 P6: /mnt/nfs/10.10.4.23 is not mounted (since 14:03Z)` */
export function statementOf(facts: ServingFacts, now = new Date()): string {
  const { obstacles, drained, noRoom } = facts;
  const because = ({ reason, since }: Omit<Obstacle, 'phases'>): string =>
    since ? `${reason} (since ${sinceText(since, now)})` : reason;
  const served = servedOf(facts).join(' ') || 'nothing';
  return [
    `serves ${served}${drained ? `: drained since ${sinceText(drained, now)} (sealflow undrain ends that)` : ''}`,
    ...obstacles
      .filter(({ phases }) => phases.length > 0)
      .map((one) => `not ${one.phases.join(' ')}: ${because(one)}`),
    ...(noRoom ? [`P1 takes no new sector: ${because(noRoom)}`] : []),
    ...obstacles.filter(({ phases }) => phases.length === 0).map(because),
  ].join('; ');
}

export interface ServingOptions {
  ip: string;
  facts: () => ServingFacts;
  log: Log;
  gauges: Gauges | undefined;
  /** Where other commands find the statement; must not throw. */
  publish: (facts: ServingFacts) => void;
}

/** Several checks may change at once, each when its own call returns: said together. */
const SOON_MS = 1_000;

export class Serving {
  private said: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isBegun = false;

  constructor(private readonly options: ServingOptions) {}

  /** From now on the host takes work: the first statement. */
  begin(): void {
    this.isBegun = true;
    this.say();
  }

  /** To be called when something may have changed. */
  saySoon(): void {
    this.timer ??= setTimeout(() => this.say(), SOON_MS).unref();
  }

  /** Logs the statement, unless nothing has changed but figures in a reason. */
  say(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { ip, facts: read, log, gauges, publish } = this.options;
    const facts = read();
    // Until it is connected it serves nothing, which is no news; monitoring has its gauges from the first scrape on.
    const served = this.isBegun ? servedOf(facts) : [];
    for (const phase of facts.configured) gauges?.served(phase, served.includes(phase));
    gauges?.drained(facts.drained !== undefined);
    const key = keyOf(facts);
    if (!this.isBegun || key === this.said) return;
    this.said = key;
    publish(facts);
    const level = facts.obstacles.length > 0 || facts.noRoom ? 'warn' : 'info';
    log[level](`${statementOf(facts)} on ${ip}`);
  }
}

/** The room that is lacking is another figure at each look. */
const keyOf = ({ obstacles, drained, noRoom }: ServingFacts): string =>
  JSON.stringify([obstacles, drained, noRoom?.since]);

/** The phases of a config, each once. */
export const configuredPhases = (pools: readonly { phases: readonly PhaseId[] }[]): PhaseId[] =>
  PHASE_IDS.filter((id) => pools.some(({ phases }) => phases.includes(id)));
