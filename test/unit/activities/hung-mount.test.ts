/** Tasks on a hung mount: before their work, during it, and while an engine runs. */
import { mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailureCategory } from '@temporalio/common';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { scaledTimes } from '../../../src/phases.js';
import { MountGuard } from '../../../src/mounts/guard.js';
import { GroupMount, setUpGroupDirectory } from '../../../src/group/marker.js';
import { eventually } from '../../helpers/eventually.js';
import { hangMount } from '../../helpers/fifo.js';
import { hold, release } from '../../helpers/checkpoints.js';
import { createTestHost, failureFrom, HOST, NODE, RUN_ID, type TestHost } from '../../helpers/test-host.js';

const times = scaledTimes(0.05);
const HAND_BACK = { nonRetryable: false, category: ApplicationFailureCategory.BENIGN };

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

describe('while an engine runs', () => {
  test('the task goes on: heartbeats report the mount, and the engine is left alone', async () => {
    await hold(host, 'P1');
    const { done, heartbeats } = host.begin('P1');
    await eventually(() => heartbeats.some(({ at }) => at === '1/P1-1'));
    const comeBack = await hangMount(host.group.root);
    const reports = () =>
      heartbeats.filter(({ at, step }) => at === '1/P1-1' && / hung for \d+ s$/.test(step));
    await eventually(() => reports().length > 3);
    expect(reports()[0]?.step).toContain(host.group.root);
    // It writes its result although nobody can read it.
    await release(host, 'P1');
    await comeBack();
    expect(await done).toMatchObject({ at: '1/P1-1', host: HOST });
    expect(await host.started()).toEqual(['1/P1-1']);
  });
});

describe("when the group's directory is opened", () => {
  test('the task is handed back, with growing delays and the name of the mount', async () => {
    await setUpGroupDirectory(host.group.root, 1, NODE);
    const mount = new GroupMount(new MountGuard(host.group.root, { allowSystemDisk: true }), 'default');
    const openGroup = (group: number) => mount.open(group);
    const comeBack = await hangMount(host.group.root);
    const delays = [];
    for (const attempt of [1, 2, 100]) {
      const thrown = await failureFrom(host.run('P1', {}, { attempt }, { scratch: { openGroup } }));
      expect(thrown).toMatchObject({ type: 'MountHung', ...HAND_BACK });
      expect(thrown.message).toMatch(new RegExp(`^${HOST}: ${host.group.root} is hung: no answer since 2`));
      delays.push(thrown.nextRetryDelay);
    }
    expect(delays).toEqual([times.noSlotFirst, 2 * times.noSlotFirst, times.noRoomMax]);
    expect(await host.started()).toEqual([]);
    await comeBack();
    expect(await host.run('P1', {}, {}, { scratch: { openGroup } })).toMatchObject({ at: '1/P1-1' });
  });
});

describe('after that', () => {
  test.each(['preCommitPhase1', 'cleanSector'] as const)('%s fails, and is retried later', async (name) => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const comeBack = await hangMount(host.group.root);
    const run = () => (name === 'cleanSector' ? host.clean() : host.run('P1', { invalidated: ['1/P1-1'] }));
    const thrown = await failureFrom(run());
    expect(thrown).toMatchObject({ type: 'MountHung', nonRetryable: false, details: [{ host: HOST }] });
    expect(thrown.message).toContain(host.group.root);
    await comeBack();
    await run();
  });

  test('a stop is handed back, as any host of the group can do it', async () => {
    await host.seals('P1');
    const comeBack = await hangMount(host.group.root);
    const stop = () =>
      host.offer('stopSector', {
        v: CONTRACT_VERSION,
        seal: host.seal,
        claim: 1,
        run: RUN_ID,
        why: 'cancelled',
      }).done;
    expect(await failureFrom(stop())).toMatchObject({ type: 'MountHung', ...HAND_BACK });
    await comeBack();
    expect(await stop()).toMatchObject({ stopped: [] });
  });
});

describe('a storage node that hangs', () => {
  test('is passed over if another can be used', async () => {
    const other = join(host.root, 'nodes/10.10.4.99');
    await mkdir(other);
    await host.seals('P1', 'P2');
    const storageNodes = [host.node, other];
    const comeBack = await hangMount(host.node);
    expect(await host.run('P5', {}, {}, { nodes: { directories: storageNodes } })).toMatchObject({
      node: '10.10.4.99',
    });
    await comeBack();
  });

  test('blocks P5 and P6 when it is the only one, and no other phase', async () => {
    await host.seals('P1');
    const comeBack = await hangMount(host.node);
    await host.seals('P2', 'P3', 'P4');
    expect(await failureFrom(host.run('P5'))).toMatchObject({ type: 'MountHung', nonRetryable: false });
    await comeBack();
    await host.seals('P5');
    const again = await hangMount(host.node);
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'MountHung', nonRetryable: false });
    expect(existsSync(host.directory)).toBe(true);
    await again();
    await host.clean();
    expect(existsSync(host.directory)).toBe(false);
  });

  test('blocks a new sector: it may hold its receipt', async () => {
    const comeBack = await hangMount(host.node);
    expect(await failureFrom(host.run('P1'))).toMatchObject({ type: 'MountHung', nonRetryable: false });
    expect(existsSync(host.directory)).toBe(false);
    await comeBack();
    await host.seals('P1');
  });
});
