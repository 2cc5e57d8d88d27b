/** Tracks which phases this host can currently serve. Checks run periodically; each change is logged once. */
import type { Log } from '../telemetry.js';
import type { PhaseId } from '../phases.js';

/** @returns the reason why the phase cannot be served, or undefined when it can */
export type ReadinessCheck = () => Promise<string | undefined>;

export class Readiness {
  private readonly running = new Set<string>();
  private readonly reasons = new Map<string, string | undefined>();

  constructor(
    /** By name of what is checked. A check without phases is only logged. */
    private readonly checks: Record<string, { phases: readonly PhaseId[]; check: ReadinessCheck }>,
    private readonly log: Log,
    private readonly onChange: () => void,
  ) {}

  /** Whether all checks of the phase passed. False until each has finished once. */
  isReady(phase: PhaseId): boolean {
    return Object.entries(this.checks).every(
      ([name, { phases }]) => !phases.includes(phase) || (this.reasons.has(name) && !this.reasons.get(name)),
    );
  }

  /** Runs all checks in parallel, except those still running from an earlier call. */
  async refresh(): Promise<void> {
    await Promise.all(Object.keys(this.checks).map((name) => this.run(name)));
  }

  private async run(name: string): Promise<void> {
    const { phases, check } = this.checks[name] ?? {};
    if (!phases || !check || this.running.has(name)) return;
    this.running.add(name);
    const reason = await check().catch((error: unknown) => (error as Error).message);
    this.running.delete(name);
    const first = !this.reasons.has(name);
    const before = this.reasons.get(name);
    this.reasons.set(name, reason);
    if (reason !== before) this.logChange(name, phases, reason, first);
    this.onChange();
  }

  private logChange(
    name: string,
    phases: readonly PhaseId[],
    reason: string | undefined,
    first: boolean,
  ): void {
    const served = phases.join(' ');
    if (reason) this.log.warn(served ? `${served} not served: ${reason}` : reason);
    else if (!first) this.log.info(`${served ? `${served} served again: ` : ''}${name}: in order`);
  }
}
