/** The heartbeats of one task. What its attempts must know of each other travels in them. */
import { heartbeat } from '@temporalio/activity';
import type { Carried, HeartbeatDetails, Observation } from '../heartbeat.js';
import type { PhaseId } from '../phases.js';
import { bounded } from './temporal-failure.js';

export class TaskHeartbeat {
  private last: HeartbeatDetails;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param observed what an attempt before saw of a foreign engine
   * @param carried what this attempt has taken over from the one before
   */
  constructor(
    private readonly phase: PhaseId,
    private readonly host: string,
    observed: Observation | undefined,
    private carried: Carried,
  ) {
    this.last = { phase, host, at: '', step: 'looking', fraction: null, observed, carried };
  }

  /** What attempts before have left. */
  get before(): { observed: Observation | undefined; lastReported: string | undefined } {
    return { observed: this.last.observed, lastReported: this.carried.lastReported };
  }

  send(details: Omit<HeartbeatDetails, 'phase' | 'host'>): void {
    // Details stay with the task through hand-backs: an observation is repeated, so that it is not lost.
    const { observed, carried } = this.last;
    const step = bounded(details.step);
    this.last = { observed, carried, ...details, step, phase: this.phase, host: this.host };
    heartbeat(this.last);
  }

  /**
   * Repeats the last one: deleting 500 GB, or one call to a slow mount, may take longer than the heartbeat timeout. None is sent at
   * once: each is a write of the server, and an engine that works sends its own soon.
   */
  keepRepeating(everyMs: number): void {
    this.timer = setInterval(() => heartbeat(this.last), everyMs);
  }

  stopRepeating(): void {
    clearInterval(this.timer);
  }

  /** Leaves the next attempt what it must know, if that is new. */
  carry(carried: Carried): void {
    if (carried === this.carried) return;
    this.carried = carried;
    this.last = { ...this.last, carried };
    heartbeat(this.last);
  }
}
