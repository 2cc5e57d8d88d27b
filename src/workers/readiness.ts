/** Whether this host can do a phase's work at the moment, looked at again and again; each change is said once. */
import type { Log } from '../telemetry.js';
import type { PhaseId } from '../phases.js';

/** @returns why not, or undefined when the phase can be served. */
export type Check = () => Promise<string | undefined>;

export class Readiness {
  private readonly reasons = new Map<string, string | undefined>();

  constructor(
    private readonly checks: Record<string, { phases: readonly PhaseId[]; check: Check }>,
    private readonly log: Log,
    private readonly onChange: () => void,
  ) {}

  /** Whether nothing stands against the phase; before the first look everything does. */
  isReady(phase: PhaseId): boolean {
    return Object.entries(this.checks).every(
      ([name, { phases }]) => !phases.includes(phase) || (this.reasons.has(name) && !this.reasons.get(name)),
    );
  }

  async look(): Promise<void> {
    for (const [name, { phases, check }] of Object.entries(this.checks)) {
      if (phases.length === 0) continue;
      const reason = await check().catch((error: unknown) => (error as Error).message);
      const before = this.reasons.get(name);
      const first = !this.reasons.has(name);
      this.reasons.set(name, reason);
      if (reason === before) continue;
      if (reason) this.log.warn(`${phases.join(' ')} not served: ${reason}`);
      else if (!first) this.log.info(`${phases.join(' ')} served again: ${name}: in order`);
    }
    this.onChange();
  }

  /** Looks each `everyMs` until the signal is aborted. */
  async keepLooking(everyMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, everyMs);
        signal.addEventListener('abort', done, { once: true });
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        }
      });
      if (signal.aborted) return;
      await this.look();
    }
  }
}
