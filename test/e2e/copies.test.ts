/** Copies to storage nodes as an operator sees them: where they go, their progress, and what a crash costs. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { lacks } from '../helpers/abilities.js';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { expectCleaned, expectNoParts, expectStored, partsOf, readJsonFile } from '../helpers/on-disk.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

/** An additional storage node. */
async function anotherNode(group: Group, name: string): Promise<string> {
  const directory = join(group.root, 'storage', name);
  await mkdir(directory);
  return directory;
}

function mountTmpfs(directory: string, options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]);
  onTestFinished(() => void execFileSync('umount', [directory]));
}

test.skipIf(await lacks('mount'))(
  'goes to the node that can take it; the status shows why the others cannot',
  async () => {
    const group = await cluster.group();
    const full = await anotherNode(group, 'full');
    const readOnly = await anotherNode(group, 'read-only');
    const missing = join(group.root, 'storage', 'missing');
    mountTmpfs(full, 'size=64k');
    await writeFile(join(full, 'others'), Buffer.alloc(60_000));
    mountTmpfs(readOnly, 'ro');
    // P1 of a new sector waits for all nodes of its host, as any of them may hold its receipt.
    await group.host(1, { pools: [[1, 'P1', 'P2', 'P3', 'P4']] });
    await group.host(2, {
      pools: [[1, 'P5', 'P6']],
      config: { 'storage-nodes': [full, readOnly, missing, group.node] },
    });
    await cluster.untilServed(group);
    const sector = cluster.newSector();
    await group.tell(sector, 'P5', 'hold', 'middle');
    await cluster.start(group, sector);
    let said = '';
    await eventually(async () => {
      said = (await cluster.sealflow('status', sector)).stdout;
      return / of [0-9.]+ kB.* \(not /.test(said);
    });
    expect(said).toContain(`not ${readOnly} is mounted read-only`);
    expect(said).toContain(`not ${missing} is not there: is it mounted?`);
    expect(said).toMatch(/not \S+\/full: 4\.1 kB free, [0-9.]+ kB needed/);
    // The first heartbeat of a copy may come before anything is written.
    await eventually(async () => {
      const heartbeats = await cluster.heartbeats(sector);
      const { bytes = 0, total = 0 } = heartbeats.find(({ phase }) => phase === 'P5')?.copy ?? {};
      return 0 < bytes && bytes < total;
    });
    await group.takeBack(sector, 'P5', 'hold');
    await cluster.sealed(sector);
    await expectStored(group.node, [sector]);
    expect(await readdir(full)).toEqual(['others']);
    expect(existsSync(missing)).toBe(false);
  },
);

test.skipIf(await lacks('mount'))(
  'goes to another node when its own becomes read-only, and P6 ends although it cannot clean there',
  async () => {
    const group = await cluster.group();
    const failing = await anotherNode(group, 'failing');
    mountTmpfs(failing, 'size=64m');
    const host = { pools: [[1, 'P1', 'P2', 'P3', 'P4']] as const, config: { 'storage-nodes': [] } };
    await group.host(1, host);
    await group.host(2, { pools: [[1, 'P5', 'P6']], config: { 'storage-nodes': [failing] } });
    await cluster.untilServed(group);
    const sector = cluster.newSector();
    await group.tell(sector, 'P5', 'hold', 'middle');
    await cluster.start(group, sector);
    await group.engine(sector, 'P5');
    await eventually(async () => (await partsOf(failing, sector)).length === 1);
    // Meanwhile an administrator adds a node.
    await group.host(3, {
      pools: [[1, 'P5', 'P6']],
      config: { 'storage-nodes': [failing, group.node] },
    });
    execFileSync('mount', ['-o', 'remount,ro', failing]);
    await group.takeBack(sector, 'P5', 'hold');
    // The server retries it: the history shows only the final success.
    await cluster.sealed(sector);
    expect(await cluster.failures(sector)).toEqual([]);
    await expectStored(group.node, [sector]);
    await expectCleaned(group, [sector]);
    expect(await partsOf(failing, sector)).toHaveLength(1);
  },
);

test('that is killed with its worker is repeated on the same node, and leaves nothing behind', async () => {
  const group = await cluster.group();
  const nodes = [group.node, await anotherNode(group, 'second'), await anotherNode(group, 'third')];
  const host = { config: { 'storage-nodes': nodes } };
  const worker = await group.serve(1, host);
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, 'P5', 'hold', 'middle');
  await cluster.start(group, sector);
  const engine = await group.engine(sector, 'P5');
  const copyOf = async (at: string) =>
    (await readJsonFile<{ copy: { node: string; staging: string } }>(group.attempt(sector, at, 'job.json')))
      .copy;
  const first = await copyOf(engine.at);
  await eventually(async () => (await readdir(join(first.node, first.staging))).length > 1);
  worker.kill('SIGKILL');
  process.kill(engine.pid, 'SIGKILL');
  await worker.ended;
  await group.takeBack(sector, 'P5', 'hold');

  await group.host(1, host);
  const again = await group.engine(sector, 'P5', 2);
  expect(await copyOf(again.at)).toMatchObject({ node: first.node });
  await cluster.sealed(sector);
  for (const node of nodes) {
    await expectNoParts(node);
    await expectStored(node, node === first.node ? [sector] : []);
  }
  await expectCleaned(group, [sector]);
});

test('keeps the scratch until the proof has landed, if the config requires it', async () => {
  const group = await cluster.group();
  await group.host(1, { config: { clean: { after: 'landed' } } });
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await cluster.start(group, sector);
  await eventually(async () => (await cluster.status(sector)).state === 'waiting-for-landed');
  expect((await cluster.sealflow('status', sector)).stdout).toContain('waiting-for-landed');
  expect(existsSync(group.attempt(sector, '1/P1-1', 'sc-02-data-layer-1.dat'))).toBe(true);
  expect(await partsOf(group.node, sector)).toHaveLength(1);
  expect(existsSync(join(group.node, 'receipts'))).toBe(false);

  expect(await cluster.sealflow('landed', sector, '--message', 'bafy2bzace')).toEqual({
    code: 0,
    stdout: `${sector}: P6 continues\n`,
    stderr: '',
  });
  await cluster.sealed(sector);
  await expectStored(group.node, [sector]);
  await expectCleaned(group, [sector]);
  expect(await cluster.sealflow('landed', sector)).toMatchObject({
    code: 1,
    stderr: `sealflow: no workflow is running for ${sector}\n  sealflow status ${sector} shows its last known state\n`,
  });
});
