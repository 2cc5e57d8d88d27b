import type { Progress } from './protocol.js';

/** Whether an engine works: step, fraction or CPU time move. Times are in ms of one clock. */
export class WorkMeter {
  private step = '';
  private fraction: number | null = null;
  private cpuSeconds = 0;

  constructor(private at: number) {}

  record({ step, fraction, cpuSeconds }: Progress, hangMs: number, now: number): void {
    // Writing its progress costs an engine some CPU time too: a thousandth of the limit is no work.
    const computes = (cpuSeconds - this.cpuSeconds) * 1000 > hangMs / 1000;
    if (step === this.step && fraction === this.fraction && !computes) return;
    [this.step, this.fraction, this.cpuSeconds, this.at] = [step, fraction, cpuSeconds, now];
  }

  /** While nothing can be seen, nothing counts against the engine. */
  restart(now: number): void {
    this.at = now;
  }

  idleFor(now: number): number {
    return now - this.at;
  }
}
