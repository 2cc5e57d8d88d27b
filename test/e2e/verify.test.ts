/** `sealflow verify`: its findings, output and exit codes. There is neither a Temporal server nor a local_dir. */
import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { SectorReport } from '../../src/verify/report.js';
import { configToml } from '../helpers/config-toml.js';
import { flip } from '../helpers/damage.js';
import { ENGINE, engineRuns } from '../helpers/engine.js';
import { engineProgram } from '../helpers/engine-program.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { receiptPath } from '../helpers/on-disk.js';
import { startSealflow, type End } from '../helpers/sealflow.js';
import { command } from '../helpers/in-process.js';
import { changeReceipt, storedFile, storeSectors } from '../helpers/stored.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000 });

let root: string;
let node: string;
/** Environment of each command: the test engine, controlled by files in `root`. */
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  root = await temporaryDirectory();
  node = join(root, 'node-1');
  env = { SEALFLOW_ENGINE: await engineProgram(root, { FIXTURE_CHECKPOINTS: root }) };
});

const verify = (...args: string[]): Promise<End> => command(['verify', ...args], env);
const linesOf = ({ stdout }: End): string[] => stdout.trimEnd().split('\n');
const jsonOf = (end: End): unknown[] => linesOf(end).map((line) => JSON.parse(line) as unknown);
const good = (number: number, read = '4.1 KiB'): string => `ok t01000/${number} 2KiB, 7 checks, ${read} read`;
const DIGEST = '[0-9a-f]{64}';

describe('a whole node', () => {
  test('of 60 sectors with three damaged: exactly those are found', async () => {
    await storeSectors(node, 60);
    await flip(storedFile(node, 't01000/17', 'sealed'));
    await flip(storedFile(node, 't01000/40', 'p_aux'));
    await rm(storedFile(node, 't01000/60', 'sc-02-data-tree-r-last.dat'));
    const bad: Record<string, string[]> = {
      't01000/17': ['sealed/s-t01000-17', 'challenges'],
      't01000/40': ['cache/s-t01000-40/p_aux', 'p_aux'],
      't01000/60': ['cache/s-t01000-60/sc-02-data-tree-r-last.dat', 'challenges'],
    };

    const json = await verify('--all', node, '--json', '--jobs', '4');
    expect(json).toMatchObject({ code: 1, stderr: '' });
    const told = jsonOf(json);
    const reports = told.slice(0, -1) as SectorReport[];
    expect(new Set(reports.map(({ sector }) => sector)).size).toBe(60);
    const wrong = reports.filter(({ result }) => result !== 'good');
    expect(
      Object.fromEntries(
        wrong.map(({ sector, checks }) => [sector, checks.filter(({ ok }) => !ok).map(({ name }) => name)]),
      ),
    ).toEqual(bad);
    expect(told.at(-1)).toEqual({
      summary: {
        ...{ sectors: 60, stopped: false, good: 57, wrong: 3, notChecked: 0 },
        nodes: [{ node, noReceipt: [], unfinished: [], noName: [], writtenOn: {} }],
      },
    });
  });

  test('with three damaged sectors: each fault is reported', async () => {
    await storeSectors(node, 4);
    await flip(storedFile(node, 't01000/1', 'sealed'));
    await flip(storedFile(node, 't01000/2', 'p_aux'));
    await rm(storedFile(node, 't01000/4', 'sc-02-data-tree-r-last.dat'));
    const end = await verify('--all', node, '--jobs', '4');
    expect(end).toMatchObject({ code: 1, stderr: '' });
    const lines = linesOf(end);
    expect(lines.filter((line) => line.startsWith('ok '))).toEqual([good(3)]);
    expect(lines.at(-1)).toBe('4 sectors: 1 good, 3 wrong');
    expect(end.stdout).toMatch(
      new RegExp(
        `^WRONG t01000/1 2KiB\n {2}sealed/s-t01000-1 differs: it is 2048 bytes, BLAKE3 ${DIGEST}; ` +
          `the receipt says 2048 bytes, ${DIGEST}\n {2}challenges: proving: .* is invalid$`,
        'm',
      ),
    );
    expect(end.stdout).toMatch(
      new RegExp(
        `^WRONG t01000/2 2KiB\n {2}cache/s-t01000-2/p_aux differs: it is 64 bytes, BLAKE3 ${DIGEST}; ` +
          `the receipt says 64 bytes, ${DIGEST}\n {2}p_aux is of commR ${DIGEST}, not ${DIGEST}$`,
        'm',
      ),
    );
    expect(end.stdout).toMatch(
      /^WRONG t01000\/4 2KiB\n {2}cache\/s-t01000-4\/sc-02-data-tree-r-last.dat is not there\n {2}challenges: cannot be proved: cache\/s-t01000-4\/sc-02-data-tree-r-last.dat is not there$/m,
    );
  });

  test('that is in order', async () => {
    await storeSectors(node, 2);
    const stdout = [good(1), good(2), '2 sectors: 2 good, 0 wrong', ''].join('\n');
    expect(await verify('--all', node)).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('with other files on it, which are listed but are no fault', async () => {
    await storeSectors(node, 1);
    await changeReceipt(node, 't01000/1', (receipt) => ({ ...receipt, node: '10.10.4.23' }));
    for (const name of ['cache/s-t01000-9', '.sealflow', '.sealflow/s-t01000-3.uuid'])
      await mkdir(join(node, name));
    for (const name of ['sealed/s-t01000-9', 'receipts/x']) await writeFile(join(node, name), '');
    const end = await verify('--all', node);
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(end)).toEqual([
      good(1),
      `${node}/sealed/s-t01000-9: no receipt: not sealed by sealflow, not checked`,
      `${node}/cache/s-t01000-9: no receipt: not sealed by sealflow, not checked`,
      `${node}/.sealflow/s-t01000-3.uuid: copy without a receipt here: P5 is at work, or it waits for its proof; P6 or an abort removes it. If its sector is sealed elsewhere, it was left over and may be deleted`,
      `${node}/receipts/x: no receipt's name, not looked at`,
      `${node}: 1 receipt names the storage node 10.10.4.23, not node-1: was the disk moved?`,
      '1 sector: 1 good, 0 wrong; 2 without a receipt',
    ]);
  });

  test('with untrustworthy receipts and links: nothing outside the node is read', async () => {
    await storeSectors(node, 6);
    const away = async (path: string, name: string): Promise<void> => {
      await rename(path, join(root, name));
      await symlink(join(root, name), path);
    };
    await away(storedFile(node, 't01000/1', 't_aux'), 't_aux');
    await away(receiptPath(node, 't01000/2'), 'receipt.json');
    await writeFile(receiptPath(node, 't01000/3'), '{');
    await changeReceipt(node, 't01000/4', (receipt) => ({
      ...receipt,
      files: [...receipt.files, { name: '../engine', size: 1, blake3: 'ab'.repeat(32) }],
    }));
    await away(join(node, 'cache/s-t01000-5'), 'cache-5');
    const end = await verify('--all', node);
    expect(end).toMatchObject({ code: 1, stderr: '' });
    expect(linesOf(end)).toEqual([
      'WRONG t01000/1 2KiB',
      '  cache/s-t01000-1/t_aux is a symbolic link',
      'WRONG t01000/2',
      '  receipts/s-t01000-2.json is a symbolic link, which is not followed',
      'WRONG t01000/3',
      '  receipts/s-t01000-3.json is no JSON',
      'WRONG t01000/4',
      '  receipts/s-t01000-4.json names "../engine", which is no file of t01000/4',
      'WRONG t01000/5',
      '  cache/s-t01000-5 is no directory of its own',
      good(6),
      '6 sectors: 1 good, 5 wrong',
    ]);
    const sent = (await engineRuns(root)).filter(({ what }) => what === 'start');
    expect(sent.map(({ sector }) => sector)).toEqual(['s-t01000-1', 's-t01000-6']);
  });

  test('whose receipts refer to missing files', async () => {
    await storeSectors(node, 1);
    for (const name of ['sealed', 'cache']) await rm(join(node, name), { recursive: true });
    const end = await verify('--all', node);
    expect(end.code).toBe(1);
    expect(linesOf(end).slice(0, 3)).toEqual([
      'WRONG t01000/1 2KiB',
      '  sealed/s-t01000-1 is not there',
      '  cache/s-t01000-1/p_aux is not there',
    ]);
  });
});

describe('some sectors', () => {
  test('are searched for on all nodes', async () => {
    const other = await storeSectors(join(root, 'node-2'), 2, { first: 3 });
    await storeSectors(node, 2);
    const end = await verify('t01000/1-3', '--node', node, '--node', other, 't01000/9');
    expect(end).toMatchObject({ code: 1, stderr: '' });
    expect(linesOf(end)).toEqual([
      `WRONG t01000/9: no receipt on ${node}, ${other}`,
      `ok t01000/1 2KiB on ${node}, 7 checks, 4.1 KiB read`,
      `ok t01000/2 2KiB on ${node}, 7 checks, 4.1 KiB read`,
      `ok t01000/3 2KiB on ${other}, 7 checks, 4.1 KiB read`,
      '4 sectors: 3 good, 1 wrong',
    ]);
  });

  test('with --quick: large files are not read, but truncated ones are found', async () => {
    await storeSectors(node, 2, { bytes: 100_000 });
    await truncate(storedFile(node, 't01000/2', 'sealed'), 99_999);
    const end = await verify('--quick', 't01000/1-2', '--node', node);
    expect(end.code).toBe(1);
    expect(linesOf(end)[0]).toBe(good(1, '128 B'));
    expect(linesOf(end)[2]).toMatch(/^ {2}sealed\/s-t01000-2 is 99999 bytes; the receipt says 100000 bytes$/);
    expect((await verify('t01000/1', '--node', node)).stdout).toContain(good(1, '195.4 KiB'));
  });

  test('whose engine fails are not checked, but the others are', async () => {
    await storeSectors(node, 3);
    await writeFile(join(root, 's-t01000-2-CHECK.fail'), '1:5:MissingParameters');
    const end = await verify('t01000/1-3', '--node', node);
    expect(end).toMatchObject({ code: 1, stderr: '' });
    expect(linesOf(end)).toEqual([
      good(1),
      'NOT CHECKED t01000/2 2KiB: exit code 5: fixture engine: MissingParameters: told to fail',
      good(3),
      '3 sectors: 2 good, 0 wrong, 1 not checked',
    ]);
  });

  test('of a config.toml without a reachable server or local_dir', async () => {
    await storeSectors(node, 1);
    const config = join(root, 'config.toml');
    await writeFile(config, configToml({ 'storage-nodes': [node], engine: { command: ENGINE } }));
    env = {};
    const stdout = `${good(1)}\n1 sector: 1 good, 0 wrong\n`;
    for (const what of [['t01000/1'], ['--all']])
      expect(await verify(...what, '--config', config)).toEqual({ code: 0, stdout, stderr: '' });
  });
});

test('Ctrl-C ends the engines and reports how many sectors were checked', async () => {
  await storeSectors(node, 3);
  await writeFile(join(root, 's-t01000-2-CHECK.hold'), 'middle');
  const running = startSealflow(['verify', '--all', node], { env });
  const held = async () => (await engineRuns(root)).find(({ what }) => what === 'held');
  await eventually(async () => (await held()) !== undefined);
  running.kill('SIGINT');
  const stdout = `${good(1)}\nstopped after 1 of 3 sectors: 1 good, 0 wrong\n`;
  expect(await running.ended).toEqual({ code: 1, stdout, stderr: '' });
  expect(await isAlive((await held())?.pid ?? 0)).toBe(false);
});
