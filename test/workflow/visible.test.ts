/** What people see of a sector without a query: lists, its page in the Web UI, its history. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { sealHost, sealPhase, sealState } from '../../src/search-attributes.js';
import { SealError } from '../../src/seal-error.js';
import { PHASE_IDS, PHASES } from '../../src/phases.js';
import { detailsOf } from '../helpers/details.js';
import { eventually } from '../helpers/eventually.js';
import { COMM_R, fakeActivities, held, hostOf, PROOF, repeat, STORAGE } from '../helpers/fakes.js';
import { scheduled } from '../helpers/history.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import type { Sealing } from '../helpers/sealing.js';

const [PHASE, STATE, HOST] = [sealPhase, sealState, sealHost];

async function shown(sealing: Sealing) {
  const attributes = await sealing.lists();
  return { phase: attributes.get(PHASE), state: attributes.get(STATE), host: attributes.get(HOST) };
}

describe('lists', () => {
  const { seal } = useOrchestrator();

  test('show phase, state and host as the sector progresses', async () => {
    const checkpoints = { P1: held(), P3: held(), P4: held(), P5: held(), P6: held() };
    const fakes = fakeActivities(
      Object.fromEntries(Object.entries(checkpoints).map(([phase, checkpoint]) => [phase, [checkpoint]])),
    );
    fakes.tells = PHASE_IDS;
    const sealing = await seal({ fakes, input: { seed: undefined } });
    const until = (expected: Awaited<ReturnType<typeof shown>>): Promise<void> =>
      eventually(async () => isDeepStrictEqual(await shown(sealing), expected));
    await until({ phase: 'P1', state: 'working', host: [hostOf('P1')] });
    checkpoints.P1.release();
    await until({ phase: 'P3', state: 'waiting-for-seed', host: undefined });
    await sealing.provideSeed({ seed: 'cc'.repeat(32) });
    await until({ phase: 'P3', state: 'working', host: [hostOf('P3')] });
    checkpoints.P3.release();
    await until({ phase: 'P4+P5', state: 'working', host: [hostOf('P4'), hostOf('P5')] });
    checkpoints.P4.release();
    await until({ phase: 'P5', state: 'working', host: [hostOf('P5')] });
    checkpoints.P5.release();
    await until({ phase: 'P6', state: 'working', host: [hostOf('P6')] });
    checkpoints.P6.release();
    await sealing.handle.result();
    expect(await shown(sealing)).toEqual({ phase: 'done', state: 'sealed', host: undefined });
  });

  test('show a task that waits for a host as queued', async () => {
    const queued = await seal({ fakes: fakeActivities(), serve: [] });
    await eventually(async () =>
      isDeepStrictEqual(await shown(queued), { phase: 'P1', state: 'queued', host: undefined }),
    );
  });

  test('show the phase that needs a person, not where the other one works', async () => {
    const p5 = held();
    const fakes = fakeActivities({ P4: [new SealError('BadInput', 'no such job')], P5: [p5] });
    fakes.tells = PHASE_IDS;
    const sealing = await seal({ fakes });
    await sealing.untilAttention('P4');
    await eventually(async () =>
      isDeepStrictEqual(await shown(sealing), {
        phase: 'P4',
        state: 'needs-attention',
        host: [hostOf('P5')],
      }),
    );
    p5.release();
  });

  test('find sectors by what they show', async () => {
    const sealing = await seal({ fakes: fakeActivities({ P2: [new SealError('BadInput', 'no such job')] }) });
    await sealing.untilAttention('P2');
    const { sector, group } = sealing.input;
    const query = `SealGroup = "${group}" AND SealMiner = "t01000" AND SealSector = ${sector.split('/')[1]} AND SealSize = "32GiB"`;
    const found = async (more: string) =>
      (await sealing.temporal.client.workflow.count(`${query} AND ${more}`)).count === 1;
    await eventually(() =>
      found('SealState = "needs-attention" AND SealPhase = "P2" AND ExecutionStatus = "Running"'),
    );
    await sealing.retry();
    await sealing.handle.result();
    await eventually(() =>
      found('SealState = "sealed" AND SealPhase = "done" AND ExecutionStatus = "Completed"'),
    );
  });

  test('show that a cancelled sector is stopping', async () => {
    const stop = held();
    const sealing = await seal({ fakes: fakeActivities({ P1: [held()], stop: [stop] }) });
    await sealing.fakes.begun('P1');
    await sealing.handle.cancel();
    await sealing.fakes.begun('stop');
    expect((await shown(sealing)).state).toBe('stopping');
    expect((await sealing.status()).state).toBe('stopping');
    stop.release();
    await sealing.handle.result().catch(() => undefined);
  });

  test('and status show everything after the workflow has ended', async () => {
    const sealing = await seal({ fakes: fakeActivities() });
    await sealing.handle.result();
    const status = await sealing.status();
    expect(status).toMatchObject({
      v: 1,
      sector: sealing.input.sector,
      size: '32GiB',
      group: sealing.input.group,
      state: 'sealed',
      stepsBack: 0,
      attention: [],
      commR: COMM_R,
      proof: PROOF,
      storage: STORAGE,
      bytesFreed: 500_000_000_000,
    });
    for (const phase of PHASE_IDS) {
      expect(status.phases[phase]).toEqual({ state: 'done', tries: 1, host: hostOf(phase), seconds: 1.5 });
    }
    expect(await sealing.details()).toContain('**sealed**');
  });
});

describe('the page of a sector', () => {
  const { seal } = useOrchestrator();

  test('has a table of its phases', async () => {
    const p2 = held();
    const draining = new SealError('Draining', 'shutting down');
    const sealing = await seal({ fakes: fakeActivities({ P1: [draining], P2: [p2] }) });
    await sealing.fakes.begun('P2');
    const details = await sealing.details();
    expect(details).toContain(`**${sealing.input.sector}** 32GiB, group ${sealing.input.group}: **queued**`);
    expect(details).toContain('| P1 | layers and tree-d | done | 2 | 10.0.0.1 | 1.5 |');
    expect(details).toContain('| P2 | replica, trees, commR | queued | 1 |');
    p2.release();
    await sealing.handle.result();
  });

  test('says why a phase waits, at the moment and of the run that is looked at, and leaves no event', async () => {
    const sealing = await seal({ fakes: fakeActivities(), serve: [] });
    await sealing.until(({ phases }) => phases.P1.state === 'queued');
    const before = await sealing.handle.fetchHistory();
    const queue = `sealflow/${sealing.input.group}/32GiB/PreCommitPhase1`;
    const waits = new RegExp(`^> P1 waits: nobody serves ${queue}, scheduled since \\S+Z$`, 'm');
    expect(await sealing.details()).toMatch(waits);
    expect(await sealing.details()).toMatch(waits);
    expect((await sealing.handle.fetchHistory()).events).toHaveLength(before.events?.length ?? 0);

    const { runId } = await sealing.handle.describe();
    await sealing.handle.terminate();
    await sealing.start();
    await sealing.until(({ phases }) => phases.P1.state === 'queued');
    expect(await sealing.details()).toMatch(waits);
    const ended = sealing.temporal.client.workflow.getHandle(sealing.handle.workflowId, runId);
    expect(await detailsOf(ended)).toMatch(/^(?!.*nobody serves).*\*\*queued\*\*(?!.*nobody serves)/s);
  });

  test('keeps its table intact whatever a failure message contains', async () => {
    const panic = new SealError('Panic', 'thread main panicked:\n| assertion failed |\n  left: 1');
    const sealing = await seal({ fakes: fakeActivities({ P2: repeat(5, panic) }) });
    await sealing.untilAttention('P2');
    const table = (await sealing.details()).split('\n').filter((line) => line.startsWith('|'));
    expect(table).toHaveLength(2 + PHASE_IDS.length);
    for (const line of table) expect(line.match(/\|/g), line).toHaveLength(8);
    expect(table.join()).toContain('assertion failed');
  });

  test('keeps a failure message in one block quote', async () => {
    const refused = new SealError('BadInput', 'cannot read job.json:\n\n# line 1\nexpected a number');
    const sealing = await seal({ fakes: fakeActivities({ P2: [refused] }) });
    await sealing.untilAttention('P2');
    const details = await sealing.details();
    expect(details).toContain('expected a number');
    expect(details.split('\n').filter((line) => line.startsWith('#') || line.startsWith('expected'))).toEqual(
      [],
    );
  });

  test('shows that P4 is done while P5 runs', async () => {
    const copy = held();
    const sealing = await seal({ fakes: fakeActivities({ P5: [copy] }) });
    await sealing.until(({ phases }) => phases.P4.state === 'done');
    expect(await sealing.details()).toContain('| P4 | SNARK | done | 1 |');
    copy.release();
    await sealing.handle.result();
  });

  test('has a summary for each activity of the history', async () => {
    const { handle, input } = await seal({ fakes: fakeActivities() });
    await handle.result();
    expect(scheduled(await handle.fetchHistory()).map(({ summary }) => summary)).toEqual(
      PHASE_IDS.map((phase) => `${input.sector} ${phase} ${PHASES[phase].title}`),
    );
  });

  test('describes updates and query with their input', async () => {
    const sealing = await seal({ fakes: fakeActivities(), serve: [] });
    const metadata = await sealing.handle.query<Metadata>('__temporal_workflow_metadata');
    const told = [
      ...(metadata.definition?.queryDefinitions ?? []),
      ...(metadata.definition?.updateDefinitions ?? []),
    ];
    for (const name of ['status', 'provideSeed', 'retry']) {
      expect(told.find((one) => one.name === name)?.description, name).toMatch(/./);
    }
  });
});

interface Metadata {
  definition?: Record<'queryDefinitions' | 'updateDefinitions', { name: string; description?: string }[]>;
}
