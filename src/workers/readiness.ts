/** Tracks what keeps this host from serving phases. Checks run periodically. */
import type { Obstacle } from '../host-statement.js';
import type { PhaseId } from '../phases.js';

/** @returns the reason why the phase cannot be served, or undefined when it can */
export type ReadinessCheck = () => Promise<string | undefined>;

/** By name of what is checked. */
export type Checks = Readonly<Record<string, { phases: readonly PhaseId[]; check: ReadinessCheck }>>;

const NOT_CHECKED = 'not checked yet';

export class Readiness {
  private readonly running = new Set<string>();
  /** By name of the check; undefined: in order. */
  private readonly found = new Map<string, Obstacle | undefined>();

  constructor(
    private readonly checks: Checks,
    private readonly onChange: () => void,
  ) {
    // What hangs from the start on is unchecked since then.
    const since = new Date();
    for (const [name, { phases }] of Object.entries(checks))
      this.found.set(name, { phases, reason: `${name}: ${NOT_CHECKED}`, since });
  }

  /** What is not in order at the moment, in the order of the checks. */
  get obstacles(): Obstacle[] {
    return [...this.found.values()].filter((obstacle) => obstacle !== undefined);
  }

  /** Whether all checks of the phase passed. False until each has finished once. */
  isReady(phase: PhaseId): boolean {
    return !this.obstacles.some(({ phases }) => phases.includes(phase));
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
    const before = this.found.get(name);
    if (reason !== before?.reason)
      this.found.set(name, reason === undefined ? undefined : { phases, reason, since: new Date() });
    this.onChange();
  }
}
