/**
 * Says what this host serves, and why not the rest: one statement, in the log at the start and after each change, and the same to the
 * server (`told-server.ts`) and in the gauges.
 */
import { servedOf, statementOf, type ServingFacts } from '../host-statement.js';
import { PHASE_IDS, type PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import type { Gauges } from './gauges.js';

export interface ServingOptions {
  ip: string;
  facts: () => ServingFacts;
  log: Log;
  gauges: Gauges | undefined;
  /** Called with each new statement; must not throw. */
  onSaid: () => void;
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
    const { ip, facts: read, log, gauges, onSaid } = this.options;
    const facts = read();
    // Until it is connected it serves nothing, which is no news; monitoring has its gauges from the first scrape on.
    const served = this.isBegun ? servedOf(facts) : [];
    for (const phase of facts.configured) gauges?.served(phase, served.includes(phase));
    gauges?.drained(facts.drained !== undefined);
    const key = keyOf(facts);
    if (!this.isBegun || key === this.said) return;
    this.said = key;
    onSaid();
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
