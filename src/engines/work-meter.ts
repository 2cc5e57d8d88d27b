import type { Progress } from './protocol.js';

/**
 * Measures how long an engine has been idle: step, fraction and CPU time unchanged. Times are in ms of one clock.
 */
export class WorkMeter {
  private step = '';
  private fraction: number | null = null;
  private cpuSeconds = 0;

  constructor(private at: number) {}

  record({ step, fraction, cpuSeconds }: Progress, hangMs: number, now: number): void {
    // Writing progress costs CPU time too: up to a thousandth of the limit does not count as work.
    const computes = (cpuSeconds - this.cpuSeconds) * 1000 > hangMs / 1000;
    if (step === this.step && fraction === this.fraction && !computes) return;
    [this.step, this.fraction, this.cpuSeconds, this.at] = [step, fraction, cpuSeconds, now];
  }

  /** Time in which progress cannot be read does not count as idle. */
  restart(now: number): void {
    this.at = now;
  }

  idleFor(now: number): number {
    return now - this.at;
  }
}
