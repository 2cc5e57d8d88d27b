/** What P6 and an abort keep of the engines' logs: one text in `done/`, whatever happens in between. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { CONTRACT_VERSION } from '../../../src/contract.js';
import { cacheDir, deletingName, doneDir, doneFile, goneName, keptLogs } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { shutDown } from '../../helpers/cancellation.js';
import {
  createTestHost,
  failureFrom,
  HOST,
  OTHER_RUN_ID,
  RUN_ID,
  type TestHost,
} from '../../helpers/test-host.js';

const SECTOR = sectorOf('t01000/7');
const UUID = '11111111-2222-4333-8444-555555555555';
const KiB = 1024;

let host: TestHost;

/** A sector that P1 to P5 have sealed; each test gets its own copy of what the first test has made. */
let sealed: { root: string; results: TestHost['results'] } | undefined;
afterAll(async () => {
  if (sealed) await rm(sealed.root, { recursive: true });
});
beforeEach(async () => {
  host = await createTestHost();
  const copy = (from: string, to: string): Promise<unknown> =>
    Promise.all(['local', 'nodes'].map((name) => cp(join(from, name), join(to, name), { recursive: true })));
  if (sealed) {
    await copy(sealed.root, host.root);
    host.results = sealed.results;
  } else {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    sealed = { root: await mkdtemp(join(tmpdir(), 'sealflow-test-')), results: host.results };
    await copy(host.root, sealed.root);
  }
  for (const phase of ['P1', 'P2', 'P3', 'P4', 'P5']) await write(`1/${phase}-1`, `${phase} said this\n`);
});

async function write(at: string, text: string | Buffer): Promise<void> {
  await mkdir(join(host.directory, at), { recursive: true });
  await writeFile(join(host.directory, at, 'log'), text);
}

const abort = (runId = RUN_ID) =>
  host.offer(
    'abortSector',
    { v: CONTRACT_VERSION, seal: host.seal, claim: 1, run: runId, why: 'aborted: wrong miner' },
    { runId },
  ).done;
const kept = (deletedBy: 'P6' | 'abort' = 'P6'): string => keptLogs(host.group, SECTOR, deletedBy);
const textOf = async (path: string): Promise<string> => gunzipSync(await readFile(path)).toString();
const gone = (uuid = UUID): string => join(cacheDir(host.group), goneName(SECTOR, uuid));
const warnings = (): string[] => host.logged.filter((line) => line.includes("engines' logs"));
const FIVE = ['P1', 'P2', 'P3', 'P4', 'P5']
  .map((phase) => `==> 1/${phase}-1/log <==\n${phase} said this\n`)
  .join('\n');

/** Nothing of the sector is left but what is kept. */
async function expectDeleted(...names: string[]): Promise<void> {
  expect(await readdir(cacheDir(host.group))).toEqual([]);
  expect((await readdir(doneDir(host.group))).sort()).toEqual(names.sort());
}

describe('the logs of a sector', () => {
  test('are kept by P6 in the order of the attempts', async () => {
    await host.clean();
    expect(await textOf(kept())).toBe(FIVE);
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
    expect(warnings()).toEqual([]);
  });

  test('can be read with zcat', async () => {
    await host.clean();
    expect(execFileSync('zcat', [kept()]).toString()).toBe(FIVE);
  });

  test('of all epochs and of retired attempts are among them', async () => {
    for (const at of ['1/gone-P2-2', '1/invalidated-P1-2', '1/P1-10', '1/P1-3', '2/P2-1', '10/P1-1'])
      await write(at, `${at}\n`);
    const epoch = { v: 1, owner: `${RUN_ID}#1`, why: 'claimed', host: HOST, at: '' };
    for (const number of [2, 10])
      await writeFile(host.path(String(number), 'epoch.json'), JSON.stringify(epoch));
    await abort();
    const headings = (await textOf(kept('abort'))).match(/(?<===> ).*(?= <==)/g);
    expect(headings).toEqual([
      ...['1/P1-1/log', '1/invalidated-P1-2/log', '1/P1-3/log', '1/P1-10/log', '1/P2-1/log'],
      ...['1/gone-P2-2/log', '1/P3-1/log', '1/P4-1/log', '1/P5-1/log', '2/P2-1/log', '10/P1-1/log'],
    ]);
  });

  test('that are long lose their middle, and say how much', async () => {
    const [head, tail] = ['a'.repeat(512 * KiB), 'z'.repeat(512 * KiB)];
    await write('1/P2-1', `${head}${'-'.repeat(1_234_567)}${tail}`);
    await write('1/P3-1', `${head}${tail}`);
    await host.clean();
    const text = await textOf(kept());
    expect(text).toContain(`==> 1/P2-1/log <==\n${head}\n[1234567 bytes left out]\n${tail}\n`);
    expect(text).toContain(`==> 1/P3-1/log <==\n${head}${tail}\n`);
  });

  test('that are many take no more room than 32 MiB, each its part', async () => {
    for (let i = 2; i <= 60; i++) await write(`1/gone-P1-${i}`, Buffer.alloc(1024 * KiB, 'x'));
    await host.clean();
    const text = await textOf(kept());
    expect(text.length).toBeLessThan(33 * 1024 * KiB);
    expect(text.match(/bytes left out/g)).toHaveLength(59);
    expect(text).toContain('P5 said this');
  });

  test('that are empty or not there need no file', async () => {
    for (const phase of ['P1', 'P2', 'P3', 'P4']) await write(`1/${phase}-1`, '');
    await rm(host.path('1/P5-1', 'log'));
    await host.clean();
    await expectDeleted('s-t01000-7.json');
    expect(warnings()).toEqual([]);
  });

  test('are kept by an abort beside its note, and another abort’s take their place', async () => {
    await abort();
    expect(await textOf(kept('abort'))).toBe(FIVE);
    await host.run('P1', {}, { runId: OTHER_RUN_ID });
    await write('1/P1-1', 'the second time\n');
    await abort(OTHER_RUN_ID);
    expect(await textOf(kept('abort'))).toBe('==> 1/P1-1/log <==\nthe second time\n');
    await expectDeleted('s-t01000-7.aborted.json', 's-t01000-7.aborted.logs.gz');
  });

  test('stay when a later abort has none', async () => {
    await abort();
    await mkdir(host.directory);
    await abort();
    expect(await textOf(kept('abort'))).toBe(FIVE);
  });

  test('of an abort and of P6 stay side by side', async () => {
    await writeFile(kept('abort'), 'of an abort');
    await host.clean();
    expect(await readFile(kept('abort'), 'utf8')).toBe('of an abort');
    expect(await textOf(kept())).toBe(FIVE);
  });

  test('of a sector that was sealed before, and whose note was removed, give way to the newer ones', async () => {
    await writeFile(kept(), 'older');
    await host.clean();
    expect(await textOf(kept())).toBe(FIVE);
  });
});

describe('the deletion was killed', () => {
  beforeEach(async () => {
    await host.clean();
    await cp(join(sealed?.root ?? '', 'local/nfs'), join(host.group.root, 'nfs'), { recursive: true });
    for (const phase of ['P1', 'P2', 'P3', 'P4', 'P5']) await write(`1/${phase}-1`, `${phase} said this\n`);
  });

  test('before the logs were written', async () => {
    await rm(kept());
    await rename(host.directory, gone());
    await host.clean();
    expect(await textOf(kept())).toBe(FIVE);
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
  });

  test('while they were written', async () => {
    await rm(kept());
    await rename(host.directory, gone());
    await writeFile(join(gone(), `logs.gz.${UUID}`), 'half of i');
    await host.clean();
    expect(await textOf(kept())).toBe(FIVE);
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
  });

  test('after they were written', async () => {
    await rename(host.directory, gone());
    await host.clean();
    expect(await textOf(kept())).toBe(FIVE);
  });

  test('half-way: what is left of the logs does not take the place of all of them', async () => {
    await rename(host.directory, deletingName(gone()));
    for (const name of ['1/P1-1', '1/P2-1/log', 'clean.json'])
      await rm(join(deletingName(gone()), name), { recursive: true, force: true });
    await host.clean();
    expect(await textOf(kept())).toBe(FIVE);
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
  });

  test('and one that comes besides is added to what is there', async () => {
    await mkdir(deletingName(gone()));
    await rename(host.directory, gone('22222222-2222-4333-8444-555555555555'));
    await host.clean();
    expect(await textOf(kept())).toBe(FIVE + FIVE);
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
  });

  test('twice: each directory’s logs are told apart', async () => {
    await cp(host.directory, gone('22222222-2222-4333-8444-555555555555'), { recursive: true });
    await rename(host.directory, gone());
    await host.clean();
    const text = await textOf(kept());
    expect(text).toContain(`==> ${goneName(SECTOR, UUID)}/1/P1-1/log <==\n`);
    expect(text.match(/P1 said this/g)).toHaveLength(2);
  });

  test('and a start of the sector ends it: it keeps them too', async () => {
    await rm(kept());
    await rename(host.directory, gone());
    expect(await failureFrom(host.run('P1'))).toMatchObject({ type: 'AlreadySealed' });
    expect(await textOf(kept())).toBe(FIVE);
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
  });
});

test('a worker that shuts down lets go before it keeps them, and the next one does', async () => {
  await rename(host.directory, gone());
  await writeFile(doneFile(host.group, SECTOR), doneNote());
  const task = host.offer(
    'cleanSector',
    host.cleanInput(),
    {},
    {
      scratch: {
        openGroup: async () => {
          await Promise.resolve();
          shutDown(task.env);
          return host.group;
        },
      },
    },
  );
  expect(await failureFrom(task.done)).toMatchObject({ type: 'Draining' });
  await host.clean();
  expect(await textOf(kept())).toBe(FIVE);
});

/** What P6 would have written. */
const doneNote = (): string =>
  JSON.stringify({
    v: 1,
    sector: 't01000/7',
    storage: { node: '10.10.4.23', sealed: 'a', cache: 'b', receipt: 'c' },
    commR: 'aa',
    bytes: 1,
    host: HOST,
    at: new Date().toISOString(),
  });

describe('what cannot be kept does not stop the deletion', () => {
  test('a directory in place of the file', async () => {
    await mkdir(kept());
    await host.clean();
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
    expect(warnings()).toEqual([
      expect.stringMatching(/^t01000\/7 P6: the engines' logs are not kept: .*EISDIR/),
    ]);
  });

  test('a directory in place of a log', async () => {
    await rm(host.path('1/P2-1', 'log'));
    await mkdir(host.path('1/P2-1', 'log'));
    await host.clean();
    const text = await textOf(kept());
    expect(text).toContain(`==> 1/P2-1/log <==\n[not kept: it is not a plain file]\n`);
    expect(text).toContain('P5 said this');
    expect(warnings()).toHaveLength(1);
    await expectDeleted('s-t01000-7.json', 's-t01000-7.logs.gz');
  });

  test.each([
    ['a link', (path: string) => symlink('/etc/hostname', path)],
    ['a pipe', (path: string) => Promise.resolve(execFileSync('mkfifo', [path]))],
  ])(
    '%s in place of a log is not followed or read; P6 then refuses the directory as before',
    async (_, make) => {
      await rm(host.path('1/P2-1', 'log'));
      await make(host.path('1/P2-1', 'log'));
      expect(await failureFrom(host.clean())).toMatchObject({ type: 'NotOurs' });
      const text = await textOf(kept());
      expect(text).toContain('it is not a plain file]');
      expect(text).not.toContain(await readFile('/etc/hostname', 'utf8'));
      const [left = ''] = await readdir(cacheDir(host.group));
      await rm(join(cacheDir(host.group), left, '1/P2-1/log'));
      await host.clean();
      expect(await textOf(kept())).toBe(text);
      expect(warnings()).toHaveLength(1);
    },
  );

  test('nor is a link in place of an attempt or an epoch', async () => {
    const outside = join(host.root, 'outside');
    await mkdir(join(outside, 'P1-1'), { recursive: true });
    await writeFile(join(outside, 'P1-1/log'), 'secret');
    await writeFile(doneFile(host.group, SECTOR), doneNote());
    await symlink(join(outside, 'P1-1'), host.path('1/P1-2'));
    await symlink(outside, host.path('3'));
    await rename(host.directory, gone());
    expect(await failureFrom(host.clean())).toMatchObject({ type: 'NotOurs' });
    expect(await textOf(kept())).not.toContain('secret');
  });
});
