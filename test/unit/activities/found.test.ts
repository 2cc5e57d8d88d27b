import { existsSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { inputHash } from '../../../src/activities/phase-job.js';
import { EngineStarter } from '../../../src/engines/start.js';
import { readJson } from '../../../src/files.js';
import { hold, release } from '../../helpers/checkpoints.js';
import { writeAttempt } from '../../helpers/attempts.js';
import { ENGINE } from '../../helpers/engine.js';
import { eventually } from '../../helpers/eventually.js';
import { createTestHost, OTHER_RUN_ID, type TestHost } from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

/** A worker that has not started anything. */
const another = () => ({ engines: new EngineStarter({ command: ENGINE, environment: host.environment }) });

describe('an existing result', () => {
  test('is returned instead of being made again', async () => {
    const first = await host.run('P1');
    expect(await host.run('P1')).toEqual(first);
    expect(await host.started()).toEqual(['1/P1-1']);
  });

  test('is found by another worker', async () => {
    const first = await host.run('P1');
    expect(await host.run('P1', {}, {}, { ...another(), identity: { host: '10.0.0.2' } })).toEqual(first);
    expect(await host.started()).toEqual(['1/P1-1']);
  });

  test('is found by another workflow run, in its own epoch', async () => {
    await host.seals('P1', 'P2');
    const { P1, P2 } = host.results;
    expect(await host.run('P1', {}, { runId: OTHER_RUN_ID })).toEqual(P1);
    expect(await host.run('P2', {}, { runId: OTHER_RUN_ID })).toEqual(P2);
    expect(await host.started()).toEqual(['1/P1-1', '1/P2-1']);
    expect((await readdir(host.directory)).sort()).toEqual(['1', '2', 'sector.json']);
  });

  test('of another ticket does not count', async () => {
    await host.run('P1');
    host.seal = { ...host.seal, ticket: 'cc'.repeat(32) };
    expect((await host.run('P1')).at).toBe('1/P1-2');
  });

  test('with the lowest attempt of several counts, and all tasks agree on it', async () => {
    const first = await host.run('P1');
    const written = { inputHash: inputHash(host.input('P1')), outputs: { commD: 'ee'.repeat(32) } };
    await writeAttempt(host.directory, '1/P1-2', { job: { inputHash: written.inputHash }, result: written });
    expect(await host.run('P1')).toEqual(first);
  });

  test('of a late attempt counts', async () => {
    await hold(host, 'P1');
    const { done } = host.begin('P1');
    await eventually(() => existsSync(host.path('1/P1-1', 'progress.json')));
    // Another worker took over the phase and finishes at once.
    const hash = inputHash(host.input('P1'));
    const elsewhere = await writeAttempt(join(host.root, 'elsewhere'), '1/P1-2', {
      job: { inputHash: hash },
      result: { inputHash: hash },
    });
    await rename(elsewhere.directory, host.path('1/P1-2'));
    expect((await done).at).toBe('1/P1-2');
    expect(await host.started()).toEqual(['1/P1-1']);
  });
});

describe('a task that is offered twice at once', () => {
  test('starts one engine', async () => {
    await hold(host, 'P1');
    const tasks = [host.begin('P1'), host.begin('P1', {}, {}, another())];
    await eventually(async () => (await host.started()).length > 0);
    await release(host, 'P1');
    const ends = await Promise.allSettled(tasks.map(({ done }) => done));
    expect(await host.started()).toEqual(['1/P1-1']);
    expect(ends.some(({ status }) => status === 'fulfilled')).toBe(true);
    for (const end of ends) {
      if (end.status === 'rejected') expect(end.reason).toMatchObject({ type: 'BusyElsewhere' });
      else expect(end.value.at).toBe('1/P1-1');
    }
  });
});

describe('an invalidated result', () => {
  test('is made again, under the next number, and its files are retained', async () => {
    const first = await host.run('P1');
    const second = await host.run('P1', { invalidated: [first.at] });
    expect(second).toMatchObject({ at: '1/P1-2', digest: first.digest });
    expect((await readdir(join(host.directory, '1'))).sort()).toEqual([
      'P1-2',
      'epoch.json',
      'invalidated-P1-1',
    ]);
  });

  test('is made again once, however often the task is offered', async () => {
    const { at } = await host.run('P1');
    const second = await host.run('P1', { invalidated: [at] });
    expect(await host.run('P1', { invalidated: [at] })).toEqual(second);
    expect(await host.started()).toEqual(['1/P1-1', '1/P1-2']);
  });

  test('of an earlier epoch does not count either', async () => {
    const { at } = await host.run('P1');
    const again = await host.run('P1', { invalidated: [at] }, { runId: OTHER_RUN_ID });
    expect(again.at).toBe('2/P1-1');
  });

  test('has its layers reused, once', async () => {
    const { at } = await host.run('P1');
    await host.run('P1', { invalidated: [at] });
    expect(await readJson(host.path('1/P1-2', 'job.json'))).toMatchObject({
      earlier: ['../invalidated-P1-1'],
    });
    await host.run('P1', { invalidated: [at, '1/P1-2'] });
    expect(await readJson(host.path('1/P1-3', 'job.json'))).toMatchObject({ earlier: [] });
  });

  test('that is gone needs no invalidation, and its epoch does not come again', async () => {
    await mkdir(host.directory);
    expect((await host.run('P1', { invalidated: ['1/P1-9'] })).at).toBe('2/P1-1');
  });

  test.each(['../../x', '1/../../x', '', '1/invalidated-P1-1'])('is not %j', async (at) => {
    await expect(host.run('P1', { invalidated: [at] })).rejects.toMatchObject({ type: 'Unknown' });
    expect(await host.started()).toEqual([]);
  });
});
