/** `sealflow message` of sectors that a group seals. What stands in a message is compared with Filecoin's own in test/unit/chain. */
import { decode } from '@ipld/dag-cbor';
import type { CID } from 'multiformats/cid';
import { beforeAll, expect, test, vi } from 'vitest';
import type { MessageForm } from '../../src/cli/message/form.js';
import type { Shown } from '../../src/cli/json-forms.js';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import type { Group } from '../helpers/group.js';
import { expectForms } from '../helpers/json-forms.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const HEX = 'ab'.repeat(32);
const EPOCH = 4_200_000;
let cluster: Cluster;
let group: Group;

beforeAll(async () => {
  cluster = await Cluster.join();
  group = await cluster.lastingGroup();
  await group.host(1);
  await cluster.untilServed(group);
  return () => cluster.end();
});

/** Starts a sector. @returns its name, when it waits for its seed */
async function sealed(ticketEpoch?: number): Promise<string> {
  const sector = cluster.newSector();
  await cluster.start(group, sector, { ticket: HEX, ticketEpoch });
  await eventually(async () => (await cluster.status(sector)).state === 'waiting-for-seed');
  return sector;
}

const numberOf = (sector: string): number => Number(sector.split('/')[1]);

/** Its only line of JSON. */
async function messageOf(
  ...args: string[]
): Promise<{ code: string | number; stderr: string; message: MessageForm }> {
  const { code, stdout, stderr } = await cluster.sealflow('message', ...args, '--json');
  const [message] = expectForms('message', stdout) as [MessageForm];
  return { code: code as number, stderr, message };
}
const paramsOf = ({ params: { hex } }: MessageForm): unknown => decode(Buffer.from(hex, 'hex'));
async function shownOf(sector: string): Promise<Shown> {
  return JSON.parse((await cluster.sealflow('status', sector, '--json')).stdout) as Shown;
}

test('from a ticket to both messages', async () => {
  const [one, two] = [await sealed(EPOCH), await sealed(EPOCH + 10)];
  const miner = one.split('/')[0];
  // Whatever the order in which they are given.
  const { code, stderr, message } = await messageOf('precommit', two, one, '--lifetime', '300d');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(message).toMatchObject({ to: miner, method: 28, sectors: [one, two], landBy: EPOCH + 3780 });
  const [sectors] = paramsOf(message) as [[number, number, CID, number, [], number, null][]];
  expect(sectors.map(([proof, number, cid, ...rest]) => [proof, number, cid.toString(), ...rest])).toEqual([
    [5, numberOf(one), (await shownOf(one)).sectorCid, EPOCH, [], EPOCH + 300 * 2880, null],
    [5, numberOf(two), (await shownOf(two)).sectorCid, EPOCH + 10, [], EPOCH + 10 + 300 * 2880, null],
  ]);

  for (const sector of [one, two]) await cluster.sealflow('seed', sector, HEX);
  await Promise.all([one, two].map(cluster.sealed.bind(cluster)));
  const proving = await messageOf('prove-commit', one, two);
  expect(proving).toMatchObject({ code: 0, stderr: '', message: { to: miner, method: 34 } });
  const [activations, proofs, ...rest] = paramsOf(proving.message) as [unknown, Uint8Array[]];
  expect(activations).toEqual([
    [numberOf(one), []],
    [numberOf(two), []],
  ]);
  expect(proofs.map((proof) => Buffer.from(proof).toString('hex'))).toEqual([
    (await shownOf(one)).proof,
    (await shownOf(two)).proof,
  ]);
  expect(rest).toEqual([new Uint8Array(), null, false, false]);

  // For people.
  const { stdout } = await cluster.sealflow('message', 'prove-commit', one);
  expect(stdout).toMatch(
    new RegExp(
      `^ProveCommitSectors3 of ${one}: method 34 of ${miner}\n[^]*\nlotus send .* ${miner} VALUE\n$`,
    ),
  );
});

test('sectors that are not that far are told, the others are in the message', async () => {
  const [ready, none, withoutEpoch] = [await sealed(EPOCH), cluster.newSector(), await sealed()];
  const { code, stderr, message } = await messageOf('precommit', ready, none, withoutEpoch);
  expect(code).toBe(1);
  expect(message.sectors).toEqual([ready]);
  expect(stderr).toBe(
    [
      `sealflow: no workflow found for ${none}`,
      `sealflow: ${withoutEpoch} was started without its ticket's epoch, which the pre-commit must name`,
      '  --ticket-epoch EPOCH gives it; for the next sector, sealflow start --ticket HEX@EPOCH',
      `sealflow: not in a message: ${none}-${numberOf(withoutEpoch)}`,
      '',
    ].join('\n'),
  );
  const given = await messageOf('precommit', ready, withoutEpoch, '--ticket-epoch', String(EPOCH));
  expect(given).toMatchObject({ code: 0, message: { sectors: [ready, withoutEpoch] } });

  const early = await cluster.sealflow('message', 'prove-commit', ready, withoutEpoch, '--json');
  expect(early).toMatchObject({ code: 1, stdout: '' });
  expect(early.stderr).toContain(`${ready} has no proof yet: its P4 is waiting\n`);
});

test.each([
  [['commit'], /Allowed choices are precommit, prove-commit/],
  [['precommit', '--lifetime', '540'], /in days, from 212d to 1278d/],
  [['precommit', '--lifetime', '211d'], /in days, from 212d to 1278d/],
  [['precommit', '--lifetime', '1279d'], /in days, from 212d to 1278d/],
  [['precommit', '--expiration', '-1'], /whole number/],
  [['precommit', '--lifetime', '540d', '--expiration', '5000000'], /give one of them/],
  [['prove-commit', '--lifetime', '540d'], /--lifetime belongs to the pre-commit/],
  [['prove-commit', '--ticket-epoch', '0'], /--ticket-epoch belongs to the pre-commit/],
])('wrong use: %j', async ([kind = '', ...options], says) => {
  const end = await cluster.sealflow('message', kind, cluster.newSector(), ...options);
  expect(end).toMatchObject({ code: 2, stdout: '' });
  expect(end.stderr).toMatch(says);
});
