/** Workers on the queues of a group. The activities of a sector are its own fakes. */
import { createHash } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { controlQueue, phaseQueue, type SealActivities, type SealInput } from '../../src/contract.js';
import { PHASE_IDS, PHASES, type PhaseId } from '../../src/phases.js';
import type { Fakes } from './fakes.js';
import { IDENTITY, run, type Running, type Temporal } from './temporal.js';

/** The queues of a group; `control` is that of stops and aborts. */
export type Queue = PhaseId | 'control';
const ALL: readonly Queue[] = [...PHASE_IDS, 'control'];

/** A number that nothing else on the server has, for a group or a sector. */
export const numberOf = (title: string): number =>
  createHash('sha256').update(title).digest().readUInt32BE() % 1_000_000_000;

export class FakeGroup {
  private readonly fakes = new Map<string, Fakes>();
  private readonly workers: Running[] = [];

  constructor(
    private readonly temporal: Temporal,
    readonly number: number,
    readonly size: SealInput['size'],
  ) {}

  /** From now on these are the activities of the sector. */
  take(sector: string, fakes: Fakes): void {
    this.fakes.set(sector, fakes);
  }

  /** Begins to poll queues; all if none are given. */
  async serve(queues: readonly Queue[] = ALL): Promise<void> {
    for (const id of queues) {
      const names = id === 'control' ? (['stopSector', 'abortSector'] as const) : [activityOf(id)];
      const worker = await Worker.create({
        connection: this.temporal.connection,
        identity: IDENTITY,
        taskQueue: id === 'control' ? controlQueue(this.number) : phaseQueue(this.number, this.size, id),
        activities: Object.fromEntries(names.map((name) => [name, this.activity(name)])),
        activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
        maxHeartbeatThrottleInterval: '100ms',
      });
      this.workers.push(run(worker));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
  }

  private activity(name: keyof SealActivities) {
    return async (input: { seal: SealInput }): Promise<unknown> => {
      const fakes = this.fakes.get(input.seal.sector);
      if (!fakes) throw new Error(`no test has ${input.seal.sector}`);
      return await (fakes.activities[name] as (given: unknown) => Promise<unknown>)(input);
    };
  }
}

const activityOf = (phase: PhaseId) => PHASES[phase].activity as keyof SealActivities;
