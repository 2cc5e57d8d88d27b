/** Whether this host can do a phase's work at the moment, looked at again and again; each change is said once. */
import type { Log } from '../telemetry.js';
import type { PhaseId } from '../phases.js';

/** @returns why not, or undefined when the phase can be served. */
export type ReadinessCheck = () => Promise<string | undefined>;

export class Readiness {
  private readonly running = new Set<string>();
  private readonly reasons = new Map<string, string | undefined>();

  constructor(
    /** By what is looked at; a check without phases is only told. */
    private readonly checks: Record<string, { phases: readonly PhaseId[]; check: ReadinessCheck }>,
    private readonly log: Log,
    private readonly onChange: () => void,
  ) {}

  /** Whether nothing stands against the phase; before the first look everything does. */
  isReady(phase: PhaseId): boolean {
    return Object.entries(this.checks).every(
      ([name, { phases }]) => !phases.includes(phase) || (this.reasons.has(name) && !this.reasons.get(name)),
    );
  }

  /** Looks at everything at once; what an earlier look still waits for is not asked again. */
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
    const which = phases.join(' ');
    if (reason) this.log.warn(which ? `${which} not served: ${reason}` : reason);
    else if (!first) this.log.info(`${which ? `${which} served again: ` : ''}${name}: in order`);
  }
}
