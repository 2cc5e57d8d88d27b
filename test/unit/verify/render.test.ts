/** What people read, to the letter. */
import { expect, test } from 'vitest';
import {
  renderNodes,
  renderProgress,
  renderSector,
  renderUnknownFiles,
  renderSummary,
} from '../../../src/verify/render.js';
import type { SectorReport } from '../../../src/verify/report.js';
import { Tally } from '../../../src/verify/tally.js';

const check = (name: string, ok: boolean, found: string) => ({ name, ok, found });
const report = (changes: Partial<SectorReport> = {}): SectorReport => ({
  ...{ sector: 't01000/7', node: '/mnt/a', result: 'good', size: '32GiB', quick: false },
  ...{
    bytes: 34_436_450_000,
    seconds: 190,
    checks: [check('proof', true, 'valid'), check('p_aux', true, 'is commR')],
  },
  ...changes,
});

test('a sector that is good', () => {
  expect(renderSector(report(), false)).toEqual(['ok t01000/7 32GiB, 2 checks, 32 GiB read']);
  expect(renderSector(report(), true)).toEqual(['ok t01000/7 32GiB on /mnt/a, 2 checks, 32 GiB read']);
});

test('a sector that is wrong, with its bad checks', () => {
  const checks = [
    check('proof', true, 'valid'),
    check('sealed/s-t01000-7', false, 'sealed/s-t01000-7 differs: it is 1 bytes'),
    check('p_aux', false, 'it gives ab; commR is cd'),
    check('cache/s-t01000-7/p_aux', false, '/mnt/a/cache/s-t01000-7/p_aux is not there'),
    check('p_aux', false, '/mnt/a/cache/s-t01000-7/p_aux is not there'),
  ];
  expect(renderSector(report({ result: 'wrong', checks }), false)).toEqual([
    'WRONG t01000/7 32GiB',
    '  sealed/s-t01000-7 differs: it is 1 bytes',
    '  p_aux: it gives ab; commR is cd',
    '  /mnt/a/cache/s-t01000-7/p_aux is not there',
  ]);
});

test('a sector that is nowhere, or was not checked', () => {
  const checks = [check('receipt', false, 'no receipt on /mnt/a')];
  const nowhere = report({ result: 'wrong', node: undefined, size: undefined, checks });
  expect(renderSector(nowhere, true)).toEqual(['WRONG t01000/7: no receipt on /mnt/a']);
  const notChecked = report({ result: 'not checked', checks: [], why: 'exit code 3: I/O error' });
  expect(renderSector(notChecked, true)).toEqual([
    'NOT CHECKED t01000/7 32GiB on /mnt/a: exit code 3: I/O error',
  ]);
  const prevented = [check('proof', true, 'valid'), check('challenges', false, 'not checked: EIO')];
  expect(renderSector({ ...notChecked, checks: prevented }, true).at(-1)).toBe(
    '  challenges: not checked: EIO',
  );
});

function tallyOf(total: number, ...results: SectorReport['result'][]): Tally {
  const tally = new Tally(total);
  for (const result of results) tally.add(report({ result }));
  return tally;
}

test('how far it is', () => {
  const running = [
    { sector: 't01000/8', bytes: 1, total: 8 },
    { sector: 't01000/9', bytes: 0, total: 0 },
  ];
  expect(renderProgress(tallyOf(200), [], 0)).toBe('0 of 200 sectors');
  expect(renderProgress(tallyOf(200, 'good', 'wrong', 'not checked'), running, 200_000_000)).toBe(
    '3 of 200 sectors, 1 wrong, 1 not checked; t01000/8 12 %, t01000/9 100 %, 190.7 MiB/s',
  );
});

test('the end', () => {
  expect(renderSummary(tallyOf(1, 'good'), 0)).toBe('1 sector: 1 good, 0 wrong');
  expect(renderSummary(tallyOf(3, 'good', 'wrong', 'not checked'), 4)).toBe(
    '3 sectors: 1 good, 1 wrong, 1 not checked; 4 without a receipt',
  );
  expect(renderSummary(tallyOf(200, 'good', 'wrong'), 0)).toBe(
    'stopped after 2 of 200 sectors: 1 good, 1 wrong',
  );
  expect([tallyOf(1, 'good'), tallyOf(2, 'good'), tallyOf(0)].map(({ allGood }) => allGood)).toEqual([
    ...[true, false, true],
  ]);
});

test('nodes whose sectors were stored under another name, and nodes that hang', () => {
  const tally = new Tally(3);
  for (const writtenOn of ['node-1', 'node-1', 'node-2']) tally.add(report({ writtenOn }));
  const nodes = [{ directory: '/mnt/b', sectors: [], problem: 'it hangs' }];
  expect(renderNodes(nodes, tally)).toEqual([
    '/mnt/a: 2 receipts name the storage node node-1, not a: was the disk moved?',
    '/mnt/a: 1 receipt names the storage node node-2, not a: was the disk moved?',
    'NOT CHECKED /mnt/b: it hangs',
  ]);
});

test('what else lies there', () => {
  const unknownFiles = {
    noReceipt: ['sealed/s-t01000-9'],
    unfinished: ['.sealflow/s-t01000-3.uuid'],
    noName: ['receipts/x'],
  };
  expect(renderUnknownFiles('/mnt/a', unknownFiles)).toEqual([
    '/mnt/a/sealed/s-t01000-9: no receipt: not sealed by sealflow, not checked',
    '/mnt/a/.sealflow/s-t01000-3.uuid: copy without a receipt here: P5 is at work, or it waits for its proof; P6 or an abort removes it. If its sector is sealed elsewhere, it was left over and may be deleted',
    "/mnt/a/receipts/x: no receipt's name, not looked at",
  ]);
});
