/** `check-copy` of the test engine: what it finds, and what it refuses. */
import { rename, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { flip } from '../../helpers/damage.js';
import { runEngine as engine } from '../../helpers/engine.js';
import { receiptPath } from '../../helpers/on-disk.js';
import { changeReceipt, storedFile, storeSectors } from '../../helpers/stored.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

// A test starts several engines, perhaps on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const SECTOR = 't01000/1';

interface Report {
  ok: boolean;
  bytes: number;
  checks: { name: string; ok: boolean; found: string }[];
}

let root: string;
let node: string;
beforeEach(async () => {
  root = await temporaryDirectory();
  node = await storeSectors(join(root, 'node'), 1);
});

const file = (name: string): string => storedFile(node, SECTOR, name);

async function check(...flags: string[]): Promise<{ code: number; report: Report; bad: string[] }> {
  const { code, stdout } = await engine('check-copy', receiptPath(node, SECTOR), node, '--json', ...flags);
  const report = JSON.parse(stdout.trim().split('\n').at(-1) || '{}') as Report;
  return { code, report, bad: report.checks.filter(({ ok }) => !ok).map(({ name }) => name) };
}

test('accepts a complete copy, and reports how far it has read', async () => {
  const { code, stdout } = await engine('check-copy', receiptPath(node, SECTOR), node, '--json');
  expect(code).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(JSON.parse(lines[0] ?? '')).toEqual({ sector: SECTOR, bytes: 2048, total: 4224 });
  const { checks, ...report } = JSON.parse(lines.at(-1) ?? '') as Report;
  expect(report).toEqual({ v: 1, sector: SECTOR, size: '2KiB', ok: true, quick: false, bytes: 4224 });
  expect(checks.map(({ name, ok }) => `${ok} ${name}`)).toEqual([
    'true proof',
    'true sealed/s-t01000-1',
    'true cache/s-t01000-1/p_aux',
    'true cache/s-t01000-1/t_aux',
    'true cache/s-t01000-1/sc-02-data-tree-r-last.dat',
    'true p_aux',
    'true challenges',
  ]);
  const { stdout: text } = await engine('check-copy', receiptPath(node, SECTOR), node);
  expect(text).toMatch(/^ok {2}proof {2}valid\n/);
});

test.each([
  ['sealed', ['sealed/s-t01000-1', 'challenges']],
  ['p_aux', ['cache/s-t01000-1/p_aux', 'p_aux', 'challenges']],
  ['t_aux', ['cache/s-t01000-1/t_aux']],
  ['sc-02-data-tree-r-last.dat', ['cache/s-t01000-1/sc-02-data-tree-r-last.dat', 'challenges']],
])('finds a flipped bit in %s', async (name, bad) => {
  await flip(file(name), 40);
  expect(await check()).toMatchObject({ code: 6, report: { ok: false }, bad });
});

test('finds files that are missing, truncated, or links', async () => {
  await rm(file('p_aux'));
  expect((await check()).bad).toEqual(['cache/s-t01000-1/p_aux', 'p_aux', 'challenges']);
  await truncate(file('sealed'), 2000);
  await rename(file('t_aux'), join(root, 't_aux'));
  await symlink(join(root, 't_aux'), file('t_aux'));
  const { report } = await check();
  const found = Object.fromEntries(report.checks.map((one) => [one.name, one.found]));
  expect(found).toMatchObject({
    'cache/s-t01000-1/p_aux': 'cache/s-t01000-1/p_aux is not there',
    'cache/s-t01000-1/t_aux': 'cache/s-t01000-1/t_aux is no plain file',
    p_aux: 'p_aux cannot be read',
    challenges: 'not made: p_aux cannot be read',
  });
  expect(found['sealed/s-t01000-1']).toMatch(
    /^sealed\/s-t01000-1 differs: it is 2000 bytes, BLAKE3 [0-9a-f]{64}; the receipt says 2048 bytes, [0-9a-f]{64}$/,
  );
});

test('finds a proof of another sector', async () => {
  await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, seed: 'cc'.repeat(32) }));
  expect(await check()).toMatchObject({ code: 6, bad: ['proof'] });
});

test('with --quick leaves large files unread', async () => {
  node = await storeSectors(join(root, 'large'), 1, { bytes: 100_000 });
  const { report } = await check('--quick');
  expect(report).toMatchObject({ ok: true, quick: true, bytes: 128 });
  expect(report.checks[1]).toEqual({ name: 'sealed/s-t01000-1', ok: true, found: '100000 bytes' });
  await truncate(file('sealed'), 99_999);
  expect((await check('--quick')).bad).toContain('sealed/s-t01000-1');
});

test('refuses a receipt that names what is not the sector’s', async () => {
  for (const name of [
    '../x',
    'sealed/s-t01000-2',
    'cache/s-t01000-1/../x',
    'cache/s-t01000-1/.x',
    '/etc/passwd',
  ]) {
    await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, files: [{ ...receipt.files[0], name }] }));
    expect(await engine('check-copy', receiptPath(node, SECTOR), node)).toMatchObject({ code: 2 });
  }
});
