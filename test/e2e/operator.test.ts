import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { expectForms } from '../helpers/json-forms.js';
import { readReceipt } from '../helpers/on-disk.js';
import { createRandom, hex32 } from '../helpers/random.js';
import type { End } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const random = createRandom();

let cluster: Cluster;
let group: Group;

beforeAll(async () => {
  cluster = await Cluster.join();
  group = await cluster.lastingGroup();
  await group.host(1);
  await cluster.untilServed(group);
  return () => cluster.end();
});

/** Parses the one JSON value that a command prints. */
function answerOf({ code, stdout, stderr }: End): unknown {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

test('a sector waits for its seed, and accepts the first one', async () => {
  const sector = cluster.newSector();
  const [ticket, seed] = [hex32(random), hex32(random)];
  await cluster.start(group, sector, { ticket, ticketEpoch: 12345 });
  await eventually(async () => (await cluster.status(sector)).state === 'waiting-for-seed');
  const status = answerOf(await cluster.sealflow('status', sector, '--json'));
  expect(status).toMatchObject({
    ...{ sector, ticket, ticketEpoch: 12345, state: 'waiting-for-seed', workflow: 'RUNNING' },
    // The values for the chain are known before the seed.
    commD: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    commR: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    pieceCid: expect.stringMatching(/^baga6ea4seaq/) as string,
    sectorCid: expect.stringMatching(/^bagboea4b5abc/) as string,
  });
  const { commR, sectorCid } = status as Record<'commR' | 'sectorCid', string>;
  const { stdout } = await cluster.sealflow('status', sector);
  expect(stdout).toContain(`sealflow seed ${sector} HEX\n`);
  expect(stdout).toContain(`\nticket   ${ticket} of epoch 12345\n`);
  expect(stdout).toContain(`\ncommR    ${commR}  ${sectorCid}\n`);

  // P3 must not end before the other commands have run.
  await group.tell(sector, 'P3', 'hold');
  expect(await cluster.sealflow('seed', sector, seed)).toEqual({
    code: 0,
    stdout: `${sector}: stored\n`,
    stderr: '',
  });
  expect(await cluster.sealflow('seed', sector, seed)).toEqual({
    code: 0,
    stdout: `${sector}: already set\n`,
    stderr: '',
  });
  expect(await cluster.sealflow('seed', sector, hex32(random))).toEqual({
    code: 1,
    stdout: '',
    stderr: `sealflow: ${sector}: SeedKnown: a different seed is already set; with --replace, P3 and P4 run again\n`,
  });
  await group.takeBack(sector, 'P3', 'hold');
  await cluster.sealed(sector);
  expect(await readReceipt(group.node, sector)).toMatchObject({ ticket, ticketEpoch: 12345, seed });
  const { proof } = await readReceipt(group.node, sector);
  expect(await readReceipt(group.node, sector)).toMatchObject({ commR });
  const sealed = answerOf(await cluster.sealflow('status', sector, '--json'));
  // A receipt has it as base64, as Go reads it.
  const hex = Buffer.from(proof, 'base64').toString('hex');
  expect(sealed).toMatchObject({ ticket, ticketEpoch: 12345, seed, commR, proof: hex });
});

test('sectors of one miner share a ticket, and get their seeds from a file', async () => {
  const [first, second] = [cluster.newSector(), cluster.newSector()];
  const [ticket, seed] = [hex32(random), hex32(random)];
  const place = ['--group', String(group.number), '--size', group.size, '--time-scale', '0.2'];
  const range = `${first}-${second.split('/')[1]}`;
  expect(await cluster.sealflow('start', range, ...place, '--ticket', `${ticket}@77`)).toMatchObject({
    code: 0,
    stderr: '',
  });
  const file = join(await temporaryDirectory(), 'seeds');
  await writeFile(file, `# pre-committed in one epoch\n${first} ${seed}\n${second} ${seed}\n`);
  expect(await cluster.sealflow('seed', `@${file}`)).toEqual({
    code: 0,
    stdout: `${first}: stored\n${second}: stored\n`,
    stderr: '',
  });
  for (const sector of [first, second]) {
    await cluster.sealed(sector);
    expect(await readReceipt(group.node, sector)).toMatchObject({ ticket, ticketEpoch: 77, seed });
  }
});

test('a range that was started in part is started again: the rest is done, and each is told', async () => {
  const [first, second] = [cluster.newSector(), cluster.newSector()];
  await group.tell(first, 'P1', 'hold');
  await cluster.start(group, first);
  const place = ['--group', String(group.number), '--size', group.size, '--time-scale', '0.2'];
  const end = await cluster.sealflow('start', `${first}-${second.split('/')[1]}`, ...place, '--test');
  expect(end).toMatchObject({
    code: 1,
    stdout: `${second} started (workflow seal-${second.replace('/', '-')})\n`,
  });
  expect(end.stderr).toContain(`sealflow: ${first} is being sealed or is already sealed`);
  expect(end.stderr).toContain(`sealflow: not started: ${first}\n`);
  await group.takeBack(first, 'P1', 'hold');
  for (const sector of [first, second]) await cluster.sealed(sector);
});

test('replacing the seed takes the sector back to P3', async () => {
  const sector = cluster.newSector();
  const [first, second] = [hex32(random), hex32(random)];
  await group.tell(sector, 'P4', 'hold');
  await cluster.start(group, sector, { ticket: hex32(random), seed: first });
  await group.engine(sector, 'P4');
  expect(answerOf(await cluster.sealflow('seed', sector, second, '--replace', '--json'))).toEqual({
    sector,
    answer: 'replaced',
  });
  await group.engine(sector, 'P4', 2);
  await group.takeBack(sector, 'P4', 'hold');
  await cluster.sealed(sector);
  expect((await readReceipt(group.node, sector)).seed).toBe(second);
  // P1 and P2 do not depend on the seed.
  expect(await group.starts(sector, 'P2')).toHaveLength(1);
});

test('a sector that needs attention shows why, and resumes on retry', async () => {
  const sector = cluster.newSector();
  await group.tell(sector, 'P2', 'fail', '*:2:BadInput');
  await cluster.start(group, sector);
  expect(await cluster.attention(sector)).toMatchObject({ phase: 'P2', type: 'BadInput' });

  const { code, stdout, stderr } = await cluster.sealflow('status', sector);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('needs-attention');
  expect(stdout).toMatch(
    / {2}P2 needs attention since \S+Z: BadInput: told to fail\n {4}engine and sealflow may be/,
  );
  await eventually(async () => (await cluster.sealflow('status')).stdout.includes('needs-attention'));

  await group.takeBack(sector, 'P2', 'fail');
  expect(answerOf(await cluster.sealflow('retry', sector, '--json'))).toEqual({ sector, answer: 'going on' });
  await cluster.sealed(sector);
  expect((await group.starts(sector, 'P2')).map(({ at }) => at)).toEqual(['1/P2-1', '1/P2-2']);
});

test('cancel ends the engine, retains the files and reports each sector; start resumes', async () => {
  const sector = cluster.newSector();
  await group.tell(sector, 'P2', 'hold');
  await cluster.start(group, sector);
  const engine = await group.engine(sector, 'P2');
  const unknown = cluster.newSector();
  const { code, stdout, stderr } = await cluster.sealflow('cancel', unknown, sector);
  expect({ code, stdout }).toEqual({ code: 1, stdout: `${sector}: cancelled, its files are retained\n` });
  expect(stderr).toContain(`sealflow: no workflow is running for ${unknown}\n`);
  expect(stderr).toContain(`sealflow: not cancelled: ${unknown}\n`);
  expect(await isAlive(engine.pid)).toBe(false);
  expect(existsSync(group.attempt(sector, '1/P1-1', 'result.json'))).toBe(true);
  await group.takeBack(sector, 'P2', 'hold');
  const { seed, ticket } = await cluster.status(sector);
  const place = ['--group', `${group.number}`, '--size', group.size];
  await group.tell(sector, 'P1', 'hold');
  const anew = await cluster.sealflow('start', sector, ...place, '--ticket', 'ab'.repeat(32));
  expect(anew.stdout).toMatch(
    /^\S+ started \(workflow \S+\); its last run had another ticket: P1 begins anew\n$/,
  );
  await cluster.sealflow('cancel', sector);
  await group.takeBack(sector, 'P1', 'hold');
  await cluster.start(group, sector, { ticket: `${ticket}`, seed });
  await cluster.sealed(sector);
  // What was there before is taken up again; epoch 3 is that of the other ticket.
  const starts = await group.starts(sector, 'P1');
  expect(starts.filter(({ at }) => !at.startsWith('3/'))).toHaveLength(1);
});

test('a sector is started only once', async () => {
  const sector = cluster.newSector();
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector);
  const id = sector.replace('/', '-');
  const again = ['start', sector, '--group', String(group.number), '--size', group.size, '--test'];
  const refused = {
    code: 1,
    stdout: '',
    stderr: `sealflow: ${sector} is being sealed or is already sealed (workflow seal-${id})\n  sealflow status ${sector}\n`,
  };
  expect(await cluster.sealflow(...again)).toEqual(refused);
  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
  expect(await cluster.sealflow(...again)).toEqual(refused);
  expect(existsSync(group.sector(sector))).toBe(false);
});

test('each command prints JSON with --json', async () => {
  const sector = cluster.newSector();
  const place = ['--group', String(group.number), '--size', group.size];
  const id = sector.replace('/', '-');
  expect(answerOf(await cluster.sealflow('start', sector, ...place, '--test', '--json'))).toEqual({
    sector,
    workflowId: `seal-${id}`,
  });
  const result = await cluster.sealed(sector);
  const [status] = expectForms('status', (await cluster.sealflow('status', sector, '--json')).stdout);
  expect(status).toMatchObject({ sector, state: 'sealed' });
  const waited = cluster.newSector();
  const end = await cluster.sealflow('start', waited, ...place, '--test', '--wait', '--json');
  expect(expectForms('start', end.stdout)[0]).toMatchObject({
    ...{ sector: waited, storage: { node: result.storage.node } },
    commR: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
  });
  const list = await cluster.sealflow('status', '--json', '--limit', '10000');
  expect(list).toMatchObject({ code: 0, stderr: '' });
  const rows = list.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { sector: string; workflow: string });
  expect(rows).toContainEqual(expect.objectContaining({ sector, workflow: 'COMPLETED' }));
  expect(answerOf(await cluster.sealflow('setup', '--json'))).toEqual({
    namespace: { name: 'default', created: false, retentionRaised: false, attributesAdded: [] },
  });
});
