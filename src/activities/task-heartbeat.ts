/** The heartbeats of one task. They carry the state that its attempts share. */
import { heartbeat } from '@temporalio/activity';
import type { Carried, HeartbeatDetails, Observation } from '../heartbeat.js';
import type { PhaseId } from '../phases.js';
import { bounded } from './temporal-failure.js';

/** What earlier attempts of the task have left. */
export interface Before {
  /** The last observation of an engine on another host. */
  observed: Observation | undefined;
  /** The newest attempt (`1/P2-3`) whose failure was reported. */
  lastReported: string | undefined;
  /** The host that has told the workflow that it works. */
  told: string | undefined;
}

export class TaskHeartbeat {
  private last: HeartbeatDetails;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param observed an earlier attempt's observation of an engine on another host
   * @param carried what this attempt has taken over from the previous one
   * @param told the host that has told the workflow that it works
   */
  constructor(
    private readonly phase: PhaseId,
    private readonly host: string,
    observed: Observation | undefined,
    private carried: Carried,
    told: string | undefined,
  ) {
    this.last = { phase, host, at: '', step: 'inspecting', fraction: null, observed, carried, told };
  }

  /** What earlier attempts have left. */
  get before(): Before {
    return { observed: this.last.observed, lastReported: this.carried.lastReported, told: this.last.told };
  }

  send(details: Omit<HeartbeatDetails, 'phase' | 'host'>): void {
    // A new heartbeat replaces the details, which outlive hand-backs: repeat the observation so that it is not
    // lost.
    const { observed, carried, told, works } = this.last;
    const step = bounded(details.step);
    this.last = { observed, carried, told, works, ...details, step, phase: this.phase, host: this.host };
    heartbeat(this.last);
  }

  /**
   * Repeats the last heartbeat: deleting 500 GB, or one call to a slow mount, may take longer than the heartbeat
   * timeout. Sends none immediately: each costs the server a write, and a working engine causes one soon.
   */
  keepRepeating(everyMs: number): void {
    this.timer = setInterval(() => heartbeat(this.last), everyMs);
  }

  stopRepeating(): void {
    clearInterval(this.timer);
  }

  /** Notes who has told the workflow that it works. */
  noteTold(host: string | undefined): void {
    this.last = { ...this.last, told: host };
    heartbeat(this.last);
  }

  /** Work has begun: the next heartbeat says so. */
  noteWork(): void {
    this.last = { ...this.last, works: true };
  }

  /** The task is handed back: what comes next does not work yet. */
  noteRest(): void {
    if (!this.last.works) return;
    this.last = { ...this.last, works: undefined };
    heartbeat(this.last);
  }

  /** Carries state to the next attempt, if it has changed. */
  carry(carried: Carried): void {
    if (carried === this.carried) return;
    this.carried = carried;
    this.last = { ...this.last, carried };
    heartbeat(this.last);
  }
}
