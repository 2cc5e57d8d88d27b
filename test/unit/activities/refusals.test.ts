/** Tasks that a worker refuses, or cannot start. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailureCategory } from '@temporalio/common';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Deps } from '../../../src/activities/index.js';
import { EngineStarter } from '../../../src/engines/start.js';
import type { PhaseInput } from '../../../src/contract.js';
import { NotOfGroupError } from '../../../src/group/marker.js';
import { scaledTimes, TIMES } from '../../../src/phases.js';
import { SlotPool } from '../../../src/workers/slots.js';
import {
  createTestHost,
  failureFrom,
  HOST,
  NODE,
  OTHER_RUN_ID,
  type Offer,
  type TestHost,
  type DepsChanges,
} from '../../helpers/test-host.js';
import { shutDown } from '../../helpers/cancellation.js';
import { hold, release } from '../../helpers/checkpoints.js';
import { errnoError } from '../../helpers/errno.js';
import { eventually } from '../../helpers/eventually.js';

let host: TestHost;
const times = scaledTimes(0.05);
beforeEach(async () => {
  host = await createTestHost();
});

const refusal = (offer?: Offer, deps?: DepsChanges, changes?: Partial<PhaseInput>) =>
  failureFrom(host.run('P1', changes, offer, deps));
const HAND_BACK = { nonRetryable: false, category: ApplicationFailureCategory.BENIGN };

/** @returns a reusable barrier: resolves whenever `count` callers wait for it */
function meetingOf(count: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < count) return;
      for (const go of waiting) go();
      waiting = [];
    });
}

async function expectUntouched(): Promise<void> {
  expect(existsSync(host.directory)).toBe(false);
  expect(await host.started()).toEqual([]);
}

describe('a drained host', () => {
  const isDrained = (): boolean => true;

  test('hands back what is new, with that as the reason', async () => {
    const thrown = await refusal({}, { slots: { enter: () => undefined, isDrained } });
    expect(thrown).toMatchObject({ type: 'Drained', ...HAND_BACK });
    expect(thrown.message).toBe(`${HOST} is drained (sealflow undrain ends that)`);
    await expectUntouched();
  });

  test('starts no engine in the slot of one that has ended since', async () => {
    expect(await refusal({}, { slots: { isDrained } })).toMatchObject({ type: 'Drained', ...HAND_BACK });
    expect(await host.started()).toEqual([]);
  });

  test('goes on with an engine that is at work', async () => {
    await hold(host, 'P1');
    const before = host.begin('P1');
    await eventually(async () => (await host.started()).length === 1);
    shutDown(before.env);
    await failureFrom(before.done);
    const next = host.run('P1', {}, {}, { slots: { isDrained } });
    await release(host, 'P1');
    expect(await next).toMatchObject({ at: '1/P1-1' });
    expect(await host.started()).toEqual(['1/P1-1']);
  });
});

describe('a full pool', () => {
  test('hands the task back, with growing delays', async () => {
    const delays = [];
    for (const attempt of [1, 2, 3, 100]) {
      const thrown = await refusal({ attempt }, { slots: { enter: () => undefined } });
      expect(thrown).toMatchObject({ type: 'NoSlot', ...HAND_BACK });
      expect(thrown.message).toContain(HOST);
      delays.push(thrown.nextRetryDelay);
    }
    const { noSlotFirst: first, noSlotMax: most } = times;
    expect(delays).toEqual([first, 2 * first, 4 * first, most]);
    await expectUntouched();
  });

  test('is asked for the slot of the phase', async () => {
    const asked: string[] = [];
    const enterSlot: Deps['slots']['enter'] = ({ phase, sector }) => {
      expect(sector).toBe('s-t01000-7');
      asked.push(phase);
      return undefined;
    };
    host.results = Object.fromEntries(
      ['P1', 'P2', 'P3', 'P4', 'P5'].map((id) => [id, { at: `1/${id}-1`, digest: '' }]),
    );
    for (const phase of ['P1', 'P2', 'P3', 'P4', 'P5'] as const)
      await failureFrom(host.run(phase, {}, {}, { slots: { enter: enterSlot } }));
    await failureFrom(host.clean({}, {}, { slots: { enter: enterSlot } }));
    expect(asked).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P6']);
  });
});

describe('a slot', () => {
  test('is released when the phase succeeds, and when it fails', async () => {
    const pool = new SlotPool(1);
    const deps = { slots: { enter: pool.enter.bind(pool) } };
    await host.run('P1', {}, {}, deps);
    await refusal({}, { ...deps, scratch: { openGroup: () => Promise.reject(new Error('x')) } });
    await refusal(
      {},
      { ...deps, engines: new EngineStarter({ command: ['false'], environment: {} }) },
      { invalidated: ['1/P1-1'] },
    );
    expect(pool.taken).toBe(0);
  });
});

describe('a newer job', () => {
  test('is handed back before anything is read or taken', async () => {
    const never = (): never => {
      throw new Error('it was looked at');
    };
    const thrown = await refusal(
      {},
      { slots: { enter: never }, scratch: { openGroup: never } },
      { v: 2 as never },
    );
    expect(thrown).toMatchObject({ type: 'TooNew', nextRetryDelay: TIMES.noSlotMax, ...HAND_BACK });
    expect(thrown.message).toContain('version 2');
    await expectUntouched();
  });
});

describe('a host without the group’s mount', () => {
  test('hands the task back', async () => {
    const openGroup = () => Promise.reject(new NotOfGroupError('not mounted'));
    expect(await refusal({}, { scratch: { openGroup } })).toMatchObject({
      type: 'NotOfGroup',
      nextRetryDelay: 500,
      ...HAND_BACK,
    });
    await expectUntouched();
  });

  test('makes nothing where the mount should be', async () => {
    await rm(host.group.root, { recursive: true });
    expect(await refusal()).toMatchObject({ type: 'PassingFault' });
    expect(existsSync(host.group.root)).toBe(false);
  });
});

describe('no room', () => {
  const full = { scratch: { shortage: () => Promise.resolve('/sealer has no room for one more') } };

  test('hands a new sector back, with growing delays', async () => {
    const delays = [];
    for (const attempt of [1, 2, 100]) {
      const thrown = await refusal({ attempt }, full);
      expect(thrown).toMatchObject({ type: 'NoRoom', ...HAND_BACK });
      expect(thrown.message).toBe(`${HOST}: /sealer has no room for one more`);
      delays.push(Number(thrown.nextRetryDelay));
    }
    // With jitter: two that blocked each other retry at different times.
    for (const [i, most] of [times.noSlotMax, 2 * times.noSlotMax, times.noRoomMax].entries()) {
      expect(delays[i]).toBeGreaterThanOrEqual(most / 2);
      expect(delays[i]).toBeLessThanOrEqual(most);
    }
    await expectUntouched();
  });

  test('that two reserve at once is released by both, and nothing is left of either', async () => {
    const cache = join(host.group.root, 'nfs', NODE, 'cache');
    const meet = meetingOf(2);
    // Room for one. Each checks before either has made its directory, and again when both have.
    const shortage = async (_: unknown, sector: string): Promise<string | undefined> => {
      await meet();
      const others = (await readdir(cache)).filter((name) => name !== sector);
      await meet();
      return others.length > 0 ? 'full' : undefined;
    };
    const ends = ['t01000/7', 't01000/8'].map((sector) =>
      refusal({}, { scratch: { shortage } }, { seal: { ...host.seal, sector } }),
    );
    for (const end of ends) expect(await end).toMatchObject({ type: 'NoRoom', ...HAND_BACK });
    expect(await readdir(cache)).toEqual([]);
    expect(await host.started()).toEqual([]);
  });

  test('is checked again for a reservation that a crash has left', async () => {
    await mkdir(host.directory);
    expect(await refusal({}, full)).toMatchObject({ type: 'NoRoom' });
    await rm(host.directory, { recursive: true, force: true });
    await host.seals('P1');
  });

  test('does not release a sector that another task has claimed meanwhile', async () => {
    const answers = [undefined, 'full'];
    const shortage = async (): Promise<string | undefined> => {
      if (answers.length === 1) await mkdir(join(host.directory, '1'));
      return answers.shift();
    };
    expect(await refusal({}, { scratch: { shortage } })).toMatchObject({ type: 'NoRoom' });
    expect(await readdir(host.directory)).toEqual(['1', 'sector.json']);
  });

  test('does not stop a sector that was begun', async () => {
    await host.seals('P1');
    expect((await host.run('P2', {}, {}, full)).at).toBe('1/P2-1');
    expect((await host.run('P1', { invalidated: ['1/P1-1'] }, {}, full)).at).toBe('1/P1-2');
  });
});

describe('a sector that is sealed', () => {
  test('may be on a storage node that is not mounted: a new one waits for it', async () => {
    await rm(host.node, { recursive: true });
    expect(await refusal()).toMatchObject({ type: 'MountMissing', nonRetryable: false });
    await expectUntouched();
  });

  test('is recognized by its done/ file', async () => {
    const done = join(host.group.root, 'nfs', NODE, 'done/s-t01000-7.json');
    await writeFile(done, '{}');
    const thrown = await refusal();
    expect(thrown).toMatchObject({ type: 'AlreadySealed', nonRetryable: true });
    expect(thrown.message).toContain(done);
    await expectUntouched();
  });

  test('is recognized by its receipt on any storage node', async () => {
    const other = join(host.root, 'nodes/10.10.4.99');
    await mkdir(join(other, 'receipts'), { recursive: true });
    await writeFile(join(other, 'receipts/s-t01000-7.json'), '{}');
    const thrown = await refusal({}, { nodes: { directories: [...host.deps.nodes.directories, other] } });
    expect(thrown).toMatchObject({ type: 'AlreadySealed' });
    expect(thrown.message).toContain('10.10.4.99');
    await expectUntouched();
  });

  test('is reported to a second start', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await host.clean();
    expect(await refusal({ runId: OTHER_RUN_ID })).toMatchObject({ type: 'AlreadySealed' });
    expect(existsSync(host.directory)).toBe(false);
  });

  test('is not another one', async () => {
    for (const name of ['s-t01000-70.json', 's-t01001-7.json', 's-t01000-7.json.x']) {
      await writeFile(join(host.group.root, 'nfs', NODE, 'done', name), '{}');
    }
    expect((await host.run('P1')).at).toBe('1/P1-1');
  });
});

describe('a later phase', () => {
  test.each(['P2', 'P3', 'P4', 'P5'] as const)('%s does not recreate a deleted sector', async (phase) => {
    host.hurry();
    host.results = Object.fromEntries(['P1', 'P2', 'P3'].map((id) => [id, { at: `1/${id}-1`, digest: '' }]));
    const thrown = await failureFrom(host.run(phase));
    expect(thrown).toMatchObject({ type: 'StepBack', details: [{ from: 'P1' }] });
    await expectUntouched();
  });
});

describe('an engine that cannot be started', () => {
  test('needs an operator, and the failure names the program', async () => {
    const engines = new EngineStarter({ command: ['/nowhere/engine'], environment: {} });
    const thrown = await refusal({}, { engines });
    expect(thrown).toMatchObject({ type: 'BadInput', nonRetryable: true, details: [{ at: '1/P1-1' }] });
    expect(thrown.message).toContain('/nowhere/engine');
  });

  test('can be started once it is fixed', async () => {
    const engines = new EngineStarter({ command: ['/nowhere/engine'], environment: {} });
    await refusal({}, { engines });
    // It takes time until no engine of another host can appear in the attempt.
    const busy = host.begin('P1', {}, { now: 1e9 });
    expect(await failureFrom(busy.done)).toMatchObject({ type: 'BusyElsewhere' });
    const second = { now: 1e9 + 1, heartbeatDetails: busy.heartbeats.at(-1) };
    const stillBusy = host.begin('P1', {}, second);
    expect(await failureFrom(stillBusy.done)).toMatchObject({ type: 'BusyElsewhere' });
    const later = { now: 1e9 + 2 * times.engineStart, heartbeatDetails: stillBusy.heartbeats.at(-1) };
    expect((await host.run('P1', {}, later)).at).toBe('1/P1-2');
  });
});

describe('a storage node', () => {
  beforeEach(() => host.seals('P1', 'P2'));

  const copyTo = (...storageNodes: string[]) =>
    failureFrom(host.run('P5', {}, {}, { nodes: { directories: storageNodes } }));

  test('that is not mounted is reported, and nothing is made in its place', async () => {
    const gone = join(host.root, 'nodes/gone');
    const thrown = await copyTo(gone);
    expect(thrown).toMatchObject({ type: 'MountMissing', nonRetryable: false });
    expect(thrown.message).toContain(gone);
    expect(existsSync(gone)).toBe(false);
  });

  test('that is not configured is reported', async () => {
    expect((await copyTo()).message).toContain('none is configured');
    const file = join(host.root, 'nodes/file');
    await writeFile(file, '');
    expect(await copyTo(file)).toMatchObject({ type: 'MountMissing' });
  });

  test('without room is reported', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', host.node], { stdio: 'ignore' });
    } catch {
      context.skip('this user cannot mount a tmpfs');
    }
    onTestFinished(() => void execFileSync('umount', [host.node]));
    await writeFile(join(host.node, 'full'), Buffer.alloc(64 * 1024));
    expect(await copyTo(host.node)).toMatchObject({ type: 'NoSpace', nonRetryable: false });
    expect(await readdir(host.node)).toEqual(['full']);
  });

  test('that is gone does not matter if another can be used', async () => {
    const gone = join(host.root, 'nodes/gone');
    const result = await host.run('P5', {}, {}, { nodes: { directories: [gone, host.node] } });
    expect(result.node).toBe(NODE);
  });
});

describe('errors of other code', () => {
  const withError = (error: unknown) => refusal({}, { scratch: { openGroup: () => Promise.reject(error) } });

  test.each([
    ['ENOSPC', 'NoSpace'],
    ['EDQUOT', 'NoSpace'],
    ['ESTALE', 'MountMissing'],
    ['ENOTCONN', 'MountMissing'],
    ['EHOSTDOWN', 'MountMissing'],
    ['EIO', 'PassingFault'],
    ['EROFS', 'PassingFault'],
    ['EACCES', 'PassingFault'],
  ])('%s is %s', async (code, type) => {
    expect(await withError(errnoError(code))).toMatchObject({
      type,
      nonRetryable: false,
      details: [{ host: HOST }],
    });
  });

  test.each([new TypeError('a bug'), 'text', null])('%s is Unknown', async (error) => {
    expect(await withError(error)).toMatchObject({
      type: 'Unknown',
      nonRetryable: false,
      details: [{ host: HOST }],
    });
  });
});
