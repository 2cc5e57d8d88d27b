/** Which sectors go into a message, and what it says. Statuses are made up; how they come about is tested with the workflow. */
import { expect, test } from 'vitest';
import { preCommitSectorBatch2, proveCommitSectors3 } from '../../../src/chain/miner-messages.js';
import { MessageBatch } from '../../../src/cli/message/batch.js';
import { describeMessage } from '../../../src/cli/message/describe.js';
import { messageForm, type MessageForm } from '../../../src/cli/message/form.js';
import { toPreCommit, toProveCommit, type PreCommitOptions } from '../../../src/cli/message/sectors.js';
import { preCommitValue, proveCommitValue } from '../../../src/cli/message/value.js';
import { PHASE_IDS, type PhaseId } from '../../../src/phases.js';
import type { SectorStatus } from '../../../src/temporal/ask/sector-status.js';
import { UserError } from '../../../src/user-error.js';

const DAY = 2880;
const TICKET_EPOCH = 4_200_000;
const LIFETIME = { expiration: { lifetime: 540 * DAY } };
const COMM_R = Buffer.alloc(32, 5).toString('base64');
const PROOF = Buffer.alloc(192, 7).toString('base64');

interface Change extends Partial<Omit<SectorStatus, 'phases'>> {
  /** Phases that are not done. */
  phases?: Partial<Record<PhaseId, SectorStatus['phases'][PhaseId]['state']>>;
}

/** A sector under way whose results are all there, with changes. */
function statusOf({ phases = {}, ...change }: Change = {}): SectorStatus {
  return {
    ...{ v: 1, sector: 't01000/7', size: '2KiB', group: 1, state: 'working', workflow: 'RUNNING', runId: '' },
    phases: Object.fromEntries(
      PHASE_IDS.map((id) => [id, { state: phases[id] ?? 'done', tries: 1 }]),
    ) as SectorStatus['phases'],
    ...{ stepsBack: 0, attention: [], engines: [], atWork: [], handedBack: [], waits: [], inQueue: [] },
    ...{ ticket: 'aa'.repeat(32), ticketEpoch: TICKET_EPOCH, commR: COMM_R, proof: PROOF },
    ...change,
  };
}

function refusalOf(act: () => unknown): { message: string; hint?: string; exitCode: number } {
  try {
    act();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const expirationOf = (options: PreCommitOptions, change?: Change): number =>
  toPreCommit(statusOf(change), options).expiration;

test("a sector expires so long after its own ticket's epoch, or at an epoch", () => {
  expect(expirationOf(LIFETIME)).toBe(TICKET_EPOCH + 540 * DAY);
  expect(expirationOf(LIFETIME, { ticketEpoch: 5 })).toBe(5 + 540 * DAY);
  expect(expirationOf({ expiration: { epoch: 5_500_000 } })).toBe(5_500_000);
});

const FIRST = TICKET_EPOCH + 3780 + 86_550 + 180 * DAY;
const LAST = TICKET_EPOCH + 1278 * DAY;

test.each([FIRST, LAST])('it may expire at epoch %i', (epoch) => {
  expect(expirationOf({ expiration: { epoch } })).toBe(epoch);
});

test.each([0, FIRST - 1, LAST + 1])(
  'it may not expire at epoch %i: the bounds and the default are told',
  (epoch) => {
    expect(refusalOf(() => expirationOf({ expiration: { epoch } }))).toMatchObject({
      exitCode: 1,
      message: `t01000/7 cannot expire at epoch ${epoch}: with a ticket of epoch 4200000 it must be from 4808730 to 7880640`,
      hint: '--lifetime 540d is epoch 5755200 for it',
    });
  },
);

test("the ticket's epoch is the one that it was started with, or that is given", () => {
  expect(toPreCommit(statusOf(), LIFETIME).ticketEpoch).toBe(TICKET_EPOCH);
  const without = { ticketEpoch: undefined };
  expect(toPreCommit(statusOf(without), { ...LIFETIME, ticketEpoch: 0 }).ticketEpoch).toBe(0);
  expect(toPreCommit(statusOf(), { ...LIFETIME, ticketEpoch: TICKET_EPOCH }).ticketEpoch).toBe(TICKET_EPOCH);
  expect(refusalOf(() => toPreCommit(statusOf(without), LIFETIME))).toMatchObject({
    message: "t01000/7 was started without its ticket's epoch, which the pre-commit must name",
    hint: '--ticket-epoch EPOCH gives it; for the next sector, sealflow start --ticket HEX@EPOCH',
  });
  expect(refusalOf(() => toPreCommit(statusOf(), { ...LIFETIME, ticketEpoch: 4 })).message).toBe(
    't01000/7 was started with a ticket of epoch 4200000, not 4',
  );
});

const preCommit = (change: Change) => () => toPreCommit(statusOf(change), LIFETIME);
const prove = (change: Change) => () => toProveCommit(statusOf(change));

test.each([
  [preCommit({ phases: { P2: 'queued' }, commR: undefined }), 't01000/7 has no commR yet: its P2 is queued'],
  // A step back: commR is still shown, and is about to be computed anew.
  [preCommit({ phases: { P2: 'working' } }), 't01000/7 has no commR yet: its P2 is working'],
  [preCommit({ phases: { P2: 'needs-attention' } }), 't01000/7 has no commR yet: its P2 is needs-attention'],
  [prove({ phases: { P4: 'working' }, proof: undefined }), 't01000/7 has no proof yet: its P4 is working'],
  [prove({ phases: { P4: 'working' } }), 't01000/7 has no proof yet: its P4 is working'],
  [preCommit({ state: 'aborting' }), 't01000/7 was aborted'],
  [prove({ state: 'aborted', workflow: 'COMPLETED' }), 't01000/7 was aborted'],
  ...[preCommit, prove].map((read): [() => unknown, string] => [
    read({ state: 'stopped', workflow: 'CANCELLED' }),
    'nobody seals t01000/7 any more: its workflow has ended (CANCELLED)',
  ]),
])('refused %#', (act, message) => {
  expect(refusalOf(act)).toMatchObject({ message, exitCode: 1 });
});

test('a sector that waits for its seed: that is what it lacks', () => {
  const waiting = prove({ phases: { P4: 'waiting' }, proof: undefined, state: 'waiting-for-seed' });
  expect(refusalOf(waiting).hint).toMatch(/sealflow seed t01000\/7 HEX$/);
});

test('a sealed sector: its messages can be made again', () => {
  const sealed: Change = { state: 'sealed', workflow: 'COMPLETED' };
  expect(toPreCommit(statusOf(sealed), LIFETIME).number).toBe(7);
  expect(toProveCommit(statusOf(sealed)).proof).toHaveLength(192);
});

const preCommits = () =>
  new MessageBatch({
    kind: 'precommit',
    read: (status) => toPreCommit(status, LIFETIME),
    encode: preCommitSectorBatch2,
    tell: (miner, sectors) => ({ landBy: 4_203_780, value: preCommitValue(miner, sectors) }),
  });
const proofs = () =>
  new MessageBatch({
    kind: 'prove-commit',
    read: toProveCommit,
    encode: proveCommitSectors3,
    tell: (miner, sectors, size) => ({ value: proveCommitValue(miner, sectors, size) }),
  });

/** The messages of these sectors. */
function messagesOf(
  batch: { add: (status: SectorStatus) => void; messages: () => MessageForm[] },
  ...sectors: string[]
) {
  for (const sector of sectors) batch.add(statusOf({ sector }));
  const messages = batch.messages();
  for (const message of messages) expect(messageForm.parse(message)).toEqual(message);
  return messages;
}

test('a message is to one miner', () => {
  const messages = messagesOf(preCommits(), 't01000/1', 't01000/2', 't02000/1');
  expect(messages.map(({ to, sectors }) => [to, sectors])).toEqual([
    ['t01000', ['t01000/1', 't01000/2']],
    ['t02000', ['t02000/1']],
  ]);
});

test('what there are too many of goes into several', () => {
  const sectors = Array.from({ length: 257 }, (_, i) => `t01000/${i}`);
  expect(messagesOf(preCommits(), ...sectors).map((message) => message.sectors.length)).toEqual([129, 128]);
});

test('sectors of two sizes are no batch', () => {
  const batch = proofs();
  batch.add(statusOf());
  expect(refusalOf(() => batch.add(statusOf({ sector: 't01000/8', size: '8MiB' }))).message).toBe(
    't01000/8 has 8MiB: with sectors of 2KiB the chain refuses it',
  );
});

test('hex and base64 are the same bytes', () => {
  const [message] = messagesOf(proofs(), 't01000/1', 't01000/2') as [MessageForm];
  expect(Buffer.from(message.params.base64, 'base64').toString('hex')).toBe(message.params.hex);
});

test('what a pre-commit prints', () => {
  const [message] = messagesOf(preCommits(), 't01000/1', 't01000/2', 't01000/3') as [MessageForm];
  expect(describeMessage(message)).toMatchInlineSnapshot(`
    "PreCommitSectorBatch2 of t01000/1-3: method 28 of t01000
      to be on chain by epoch 4203780: later its ticket is too old
      expires at epoch 5755200
      value: 3 × the pre-commit deposit, less what t01000 has available. A node tells them, in attoFIL:
        Filecoin.StateMinerPreCommitDepositForPower ["t01000",{"SealProof":5,"SectorNumber":1,"SealedCID":{"/":"bagboea4b5abcabifaucqkbifaucqkbifaucqkbifaucqkbifaucqkbifaucqkbif"},"SealRandEpoch":4200000,"DealIDs":[],"Expiration":5755200,"UnsealedCid":null},null]
        Filecoin.StateMinerAvailableBalance ["t01000",null]
      params: 182 bytes, in hex in the line that sends them. FROM is the miner's worker, owner or a control address,
      VALUE in FIL, or in attoFIL with afil behind it:
    lotus send --from FROM --method 28 --params-hex 8183870501d82a5829000182e20381e8022005050505050505050505050505050505050505050505050505050505050505051a00401640801a0057d140f6870502d82a5829000182e20381e8022005050505050505050505050505050505050505050505050505050505050505051a00401640801a0057d140f6870503d82a5829000182e20381e8022005050505050505050505050505050505050505050505050505050505050505051a00401640801a0057d140f6 t01000 VALUE"
  `);
});

test('what a prove-commit prints: of many requests some', () => {
  const [message] = messagesOf(proofs(), ...Array.from({ length: 9 }, (_, i) => `t01000/${i}`)) as [
    MessageForm,
  ];
  const shown = describeMessage(message).replace(message.params.hex, 'HEX');
  expect(shown).toMatchInlineSnapshot(`
    "ProveCommitSectors3 of t01000/0-8: method 34 of t01000
      value: for each sector its pledge less its PreCommitDeposit, less what t01000 has available; DURATION is the Expiration of its pre-commit less the head's Height. A node tells them, in attoFIL:
        Filecoin.ChainHead []
        Filecoin.StateSectorPreCommitInfo ["t01000",0,null]
        …
        Filecoin.StateMinerInitialPledgeForSector ["DURATION",2048,0,null]
        Filecoin.StateMinerAvailableBalance ["t01000",null]
      params: 1780 bytes, in hex in the line that sends them. FROM is the miner's worker, owner or a control address,
      VALUE in FIL, or in attoFIL with afil behind it:
    lotus send --from FROM --method 34 --params-hex HEX t01000 VALUE"
  `);
});
