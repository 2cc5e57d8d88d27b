/** Copies checked by engines: the test engine, and engines that do not do what they should. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../../src/engines/engine.js';
import type { ReadProgress } from '../../../src/verify/report.js';
import { flip } from '../../helpers/damage.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { engineRuns } from '../../helpers/engine.js';
import { hangMount } from '../../helpers/fifo.js';
import { changeReceipt, storedFile, storeSectors } from '../../helpers/stored.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { allVerified, copyOf, testEngine, verified } from '../../helpers/verified.js';

// A test starts several engines, perhaps on a machine that is busy with others.
vi.setConfig({ testTimeout: 30_000 });

const SECTOR = 't01000/1';

let root: string;
let node: string;
beforeEach(async () => {
  root = await temporaryDirectory();
  node = await storeSectors(join(root, 'node'), 3);
});

/** An engine that is a shell script. */
async function script(...lines: string[]): Promise<Engine> {
  const path = join(root, 'engine');
  await writeFile(path, `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });
  return { command: [path], environment: process.env, source: 'SEALFLOW_ENGINE' };
}

/** The test engine, told what to do by files in a directory. */
const withCheckpoints = (): Engine => testEngine({ FIXTURE_CHECKPOINTS: root });
const tell = (sector: string, kind: string, words: string): Promise<void> =>
  writeFile(join(root, `s-${sector.replace('/', '-')}-CHECK.${kind}`), words);

describe('a copy', () => {
  test('that is whole is good', async () => {
    const progress: ReadProgress[] = [];
    const { seconds, checks, ...report } = await verified(copyOf(node, SECTOR), {
      onProgress: (one) => progress.push(one),
    });
    expect(report).toEqual({
      ...{ sector: SECTOR, node, result: 'good' },
      size: '2KiB',
      quick: false,
      bytes: 4224,
    });
    expect(seconds).toBeGreaterThan(0);
    expect(checks).toHaveLength(7);
    expect(progress.at(-1)).toEqual({ sector: SECTOR, bytes: 4224, total: 4224 });
  });

  test('that is damaged is wrong, with every check that was made', async () => {
    await flip(storedFile(node, SECTOR, 'p_aux'));
    const { result, checks } = await verified(copyOf(node, SECTOR));
    expect(result).toBe('wrong');
    expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([
      'cache/s-t01000-1/p_aux',
      'p_aux',
    ]);
    expect(checks).toHaveLength(7);
  });

  test('whose receipt lies is wrong, and no engine is sent', async () => {
    await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, sector: 't01000/2' }));
    const found = 'receipts/s-t01000-1.json is of t01000/2';
    expect(await verified(copyOf(node, SECTOR), { engine: await script('touch "$0.ran"') })).toMatchObject({
      result: 'wrong',
      checks: [{ name: 'receipt', ok: false, found }],
    });
    expect(existsSync(join(root, 'engine.ran'))).toBe(false);
  });

  test('that was stored on a node of another name is good all the same', async () => {
    await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, node: '10.10.4.23' }));
    expect(await verified(copyOf(node, SECTOR))).toMatchObject({ result: 'good', writtenOn: '10.10.4.23' });
  });

  test('with --quick has its large files left unread', async () => {
    const large = await storeSectors(join(root, 'large'), 1, { bytes: 100_000 });
    const { result, quick, bytes } = await verified(copyOf(large, SECTOR), { quick: true });
    expect({ result, quick, bytes }).toEqual({ result: 'good', quick: true, bytes: 128 });
  });
});

describe('not checked, and the others are checked', () => {
  const results = async (engine: Engine) => {
    const copies = [1, 2, 3].map((number) => copyOf(node, `t01000/${number}`));
    return (await allVerified(copies, { engine })).map(({ sector, result, why }) => [sector, result, why]);
  };

  test.each([
    ['1:3:PassingFault', 'exit code 3: fixture engine: PassingFault: told to fail'],
    ['1:5:MissingParameters', 'exit code 5: fixture engine: MissingParameters: told to fail'],
  ])('is a copy whose engine ends with %s', async (words, why) => {
    await tell('t01000/2', 'fail', words);
    expect(await results(withCheckpoints())).toEqual([
      ['t01000/1', 'good', undefined],
      ['t01000/2', 'not checked', why],
      ['t01000/3', 'good', undefined],
    ]);
  });

  test('is one whose engine is killed', async () => {
    await tell('t01000/3', 'crash', '1:SIGKILL');
    expect((await results(withCheckpoints())).at(-1)).toEqual([
      't01000/3',
      'not checked',
      'ended by SIGKILL',
    ]);
  });

  test.each([
    [['exit 0'], 'the engine gave no report: exit code 0'],
    [['echo hello', 'exit 6'], 'the engine gave no report: exit code 6'],
    [['echo "not a receipt" >&2', 'exit 2'], 'exit code 2: not a receipt'],
    [
      [`echo '{"v":1,"sector":"t01000/1","ok":false,"bytes":0,"checks":[]}'`],
      'the engine gave no report: exit code 0',
    ],
  ])('is one whose engine does %j', async (lines, why) => {
    expect(await verified(copyOf(node, SECTOR), { engine: await script(...lines) })).toMatchObject({
      result: 'not checked',
      why,
    });
  });

  test('is one of which a part could not be read, with the checks that were made', async () => {
    const checks = [
      { name: 'proof', ok: true, found: 'valid' },
      { name: 'sealed/s-t01000-1', ok: false, checked: false, found: 'not checked: EIO' },
    ];
    const report = JSON.stringify({ v: 1, sector: SECTOR, ok: false, bytes: 7, checks });
    const engine = await script(`echo '${report}'`, 'echo "PassingFault: reading" >&2', 'exit 3');
    expect(await verified(copyOf(node, SECTOR), { engine })).toMatchObject({
      ...{ result: 'not checked', bytes: 7, checks },
      why: 'exit code 3: PassingFault: reading',
    });
  });

  test('is one that another version has written', async () => {
    await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, v: 2 }));
    expect(await verified(copyOf(node, SECTOR))).toMatchObject({
      result: 'not checked',
      why: expect.stringContaining('has version 2, this sealflow knows 1') as string,
    });
  });
});

test('an engine that knows no check-copy is told once', async () => {
  const engine = await script('echo "sealflow-engine: usage:" >&2', 'echo "  run" >&2', 'exit 2');
  await expect(verified(copyOf(node, SECTOR), { engine })).rejects.toMatchObject({
    name: 'UserError',
    message: `${join(root, 'engine')} is of an older version: it has no check-copy`,
    hint: 'it comes from SEALFLOW_ENGINE; `sealflow setup --engine` builds the one that belongs to this sealflow',
  });
});

test('so many engines are at work at once', async () => {
  for (const number of [1, 2, 3]) await tell(`t01000/${number}`, 'hold', 'middle');
  const copies = [1, 2, 3].map((number) => copyOf(node, `t01000/${number}`));
  const stop = new AbortController();
  const all = allVerified(copies, { engine: withCheckpoints(), jobs: 2, signal: stop.signal });
  const held = async () => (await engineRuns(root)).filter(({ what }) => what === 'held');
  await eventually(async () => (await held()).length === 2);
  expect((await engineRuns(root)).filter(({ what }) => what === 'start')).toHaveLength(2);
  stop.abort();
  await expect(all).rejects.toBe(stop.signal.reason);
  for (const { pid } of await held()) expect(await isAlive(pid)).toBe(false);
});

test('a node that hangs while an engine reads it is not waited for', async () => {
  await tell('t01000/1', 'hold', 'middle');
  const [one, two] = [copyOf(node, SECTOR), copyOf(node, 't01000/2')];
  const all = allVerified([one, two], { engine: withCheckpoints(), pollEveryMs: 100 });
  await eventually(async () => (await engineRuns(root)).some(({ what }) => what === 'held'));
  const comeBack = await hangMount(node);
  const hung = expect.stringMatching(new RegExp(`${basename(node)} is hung: no answer since `)) as string;
  expect(await all).toMatchObject([
    { sector: SECTOR, result: 'not checked', size: '2KiB', why: hung },
    { sector: 't01000/2', result: 'not checked', why: hung },
  ]);
  await comeBack();
});
