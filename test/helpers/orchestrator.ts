/** The setting of a test file: its own orchestrator on the server that all files share. */
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, onTestFailed, onTestFinished, vi } from 'vitest';
import { FakeGroup, numberOf } from './fake-group.js';
import { Sealing, inputOf, SIZE, type ReplayedHistory, type SealingOptions } from './sealing.js';
import { connectTemporal, runOrchestrator, startShared, type Shared, type Temporal } from './temporal.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** By test/workflow/global-setup.ts. */
    shared: Shared | undefined;
  }
}

/**
 * For `describe.each`: without the cache each workflow task replays all that was before it. One file does that; of all
 * others the whole history is replayed once, at their end.
 */
export const CACHE_MODES = [
  { cache: 'kept in the cache', maxCachedWorkflows: undefined },
  { cache: 'replayed at each task', maxCachedWorkflows: 0 },
] as const;

export interface Orchestrator {
  readonly temporal: Temporal;
  /** A sector of this test alone; not yet started. Its workflow and workers end with the test. */
  prepare: (options: SealingOptions) => Promise<Sealing>;
  /** The same, started. */
  seal: (options: SealingOptions) => Promise<Sealing>;
}

/**
 * Call it in `describe` or at the top of a file.
 * @param queue of the workflows; the file's own if not given
 */
export function useOrchestrator(
  options: {
    maxCachedWorkflows?: number | undefined;
    queue?: string;
    /** With these settings the server is the file's own. */
    dynamicConfig?: Record<string, number>;
  } = {},
): Orchestrator {
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 900_000 });
  const queue = options.queue ?? `sealflow/${Math.random()}`;
  let temporal: Temporal;
  // Workers cost: the sectors of a file share them, unless a test says which queues are served.
  let ofAll: FakeGroup;
  const histories: ReplayedHistory[] = [];
  const ends: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    temporal = await connectTemporal(await serverFor(options.dynamicConfig, ends));
    ends.push(() => temporal.close());
    const orchestrator = await runOrchestrator(temporal, queue, options.maxCachedWorkflows);
    ends.push(() => orchestrator.stop());
    ofAll = new FakeGroup(temporal, numberOf(`${expect.getState().testPath} ${queue}`), SIZE);
    await ofAll.serve();
    ends.push(() => ofAll.stop());
  });
  afterAll(async () => {
    const differences = await differencesIn(histories, temporal.bundle);
    for (const end of ends.reverse()) await end();
    expect(differences).toEqual([]);
  });
  const prepare = async ({ fakes, input, serve }: SealingOptions): Promise<Sealing> => {
    const { testPath, currentTestName } = expect.getState();
    const title = `${testPath} ${currentTestName}`;
    const group = serve ? new FakeGroup(temporal, numberOf(title), SIZE) : ofAll;
    const sealing = new Sealing(temporal, queue, inputOf(title, { group: group.number, ...input }), fakes);
    onTestFinished(async () => {
      await sealing.stop();
      if (group !== ofAll) await group.stop();
      histories.push(...(await sealing.history()));
    });
    onTestFailed(() =>
      console.error(`${sealing.input.sector}: ${fakes.events.join(', ')}`, sealing.lastStatus?.phases),
    );
    group.take(sealing.input.sector, fakes);
    if (serve) await group.serve(serve);
    return sealing;
  };
  const seal = async (options: SealingOptions): Promise<Sealing> => {
    const sealing = await prepare(options);
    await sealing.start();
    return sealing;
  };
  return {
    get temporal() {
      return temporal;
    },
    prepare,
    seal,
  };
}

/** Replays workflows without what they had in memory. @returns where they decide otherwise than they did, by workflow ID */
async function differencesIn(histories: readonly ReplayedHistory[], bundle: string): Promise<string[]> {
  if (histories.length === 0) return [];
  const differences: string[] = [];
  const options = { workflowBundle: { codePath: bundle } };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error) differences.push(`${workflowId}: ${error.message}`);
  }
  return differences;
}

/** The one of global-setup.ts; without that, or with settings of its own, one for this file. */
async function serverFor(
  dynamicConfig: Record<string, number> | undefined,
  ends: (() => Promise<void>)[],
): Promise<Shared> {
  const given = inject('shared');
  if (given && !dynamicConfig) return given;
  const own = await startShared(dynamicConfig);
  ends.push(() => own.stop());
  return own;
}
