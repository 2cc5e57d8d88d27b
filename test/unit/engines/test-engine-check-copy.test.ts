/** `check-copy` of the test engine: what it finds, and what it does not take. */
import { mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { flip } from '../../helpers/damage.js';
import { runEngine as engine } from '../../helpers/engine.js';
import { receiptPath } from '../../helpers/on-disk.js';
import { changeReceipt, storedFile, storeSectors } from '../../helpers/stored.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

// A test starts several engines, perhaps on a machine that is busy with others.
vi.setConfig({ testTimeout: 30_000 });

const SECTOR = 't01000/1';

interface Report {
  ok: boolean;
  bytes: number;
  checks: { name: string; ok: boolean; checked?: boolean; found: string }[];
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

test('finds a whole copy good, and tells how far it has read', async () => {
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

/** What the checks have found, by name. */
const foundBy = ({ checks }: Report): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, found }) => [name, found]));

// In the words of the real engine.
test('finds what is missing, cut off, or a link', async () => {
  await rm(file('p_aux'));
  expect((await check()).bad).toEqual(['cache/s-t01000-1/p_aux', 'p_aux', 'challenges']);
  await truncate(file('sealed'), 2000);
  await rename(file('t_aux'), join(root, 't_aux'));
  await symlink(join(root, 't_aux'), file('t_aux'));
  await rm(file('sc-02-data-tree-r-last.dat'));
  await mkdir(file('sc-02-data-tree-r-last.dat'));
  expect(foundBy((await check()).report)).toMatchObject({
    'sealed/s-t01000-1': 'sealed/s-t01000-1 is 2000 bytes; the receipt says 2048 bytes',
    'cache/s-t01000-1/p_aux': 'cache/s-t01000-1/p_aux is not there',
    'cache/s-t01000-1/t_aux': 'cache/s-t01000-1/t_aux is a symbolic link',
    'cache/s-t01000-1/sc-02-data-tree-r-last.dat':
      'cache/s-t01000-1/sc-02-data-tree-r-last.dat is not a regular file',
    p_aux: 'cache/s-t01000-1/p_aux is not there',
    challenges: 'cannot be proved: cache/s-t01000-1/p_aux is not there',
  });
});

test('tells what differs', async () => {
  await flip(file('p_aux'), 40);
  const { report } = await check();
  const found = foundBy(report);
  expect(found['cache/s-t01000-1/p_aux']).toMatch(
    /^cache\/s-t01000-1\/p_aux differs: it is 64 bytes, BLAKE3 [0-9a-f]{64}; the receipt says 64 bytes, [0-9a-f]{64}$/,
  );
  expect(found['p_aux']).toMatch(/^p_aux is of commR [0-9a-f]{64}, not [0-9a-f]{64}$/);
  expect(found['challenges']).toBe(
    'proving: generate_single_vanilla_proof: vanilla_proof failed: SectorId(1): Generated vanilla proof for sector SectorId(1) is invalid',
  );
  await truncate(file('p_aux'), 40);
  expect(foundBy((await check()).report)).toMatchObject({
    p_aux: 'p_aux is 40 bytes, not 64',
    challenges: 'cannot be proved: p_aux is 40 bytes, not 64',
  });
  const { code, stderr } = await engine('check-copy', receiptPath(node, SECTOR), node);
  expect(code).toBe(6);
  expect(stderr).toMatch(/: ProofInvalid: t01000\/1: bad: cache\/s-t01000-1\/p_aux, p_aux, challenges\n$/);
});

test('tells a check that could not be made from a bad one', async () => {
  const name = `cache/s-t01000-1/${'x'.repeat(300)}`;
  const more = { name, size: 1, blake3: 'cc'.repeat(32) };
  await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, files: [...receipt.files, more] }));
  const { code, report } = await check();
  expect(code).toBe(3);
  expect(report.ok).toBe(false);
  expect(report.checks.filter(({ ok }) => !ok)).toEqual([
    {
      name,
      ok: false,
      checked: false,
      found: expect.stringMatching(/^not checked: .*ENAMETOOLONG/) as string,
    },
  ]);
  const { stdout, stderr } = await engine('check-copy', receiptPath(node, SECTOR), node);
  expect(stdout).toContain(`\n??? ${name}  not checked: `);
  expect(stderr).toContain(': PassingFault: ');
  await rm(file('t_aux'));
  expect(await check()).toMatchObject({ code: 6 });
});

test('a node that is not there is not mounted', async () => {
  const receipt = await readFile(receiptPath(node, SECTOR));
  await writeFile(join(root, 'receipt.json'), receipt);
  const { code, stdout, stderr } = await engine('check-copy', join(root, 'receipt.json'), join(root, 'none'));
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain(`PassingFault: storage node ${join(root, 'none')} is not there: is it mounted?`);
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
    'cache/s-t01000-1/..',
    '/etc/passwd',
  ]) {
    await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, files: [{ ...receipt.files[0], name }] }));
    expect(await engine('check-copy', receiptPath(node, SECTOR), node)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`files: ${JSON.stringify(name)} is not a file of t01000/1`) as string,
    });
  }
});

test('refuses a receipt that does not name all files', async () => {
  await changeReceipt(node, SECTOR, (receipt) => ({ ...receipt, files: receipt.files.slice(1) }));
  expect(await engine('check-copy', receiptPath(node, SECTOR), node)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('files: sealed/s-t01000-1 is missing') as string,
  });
});
