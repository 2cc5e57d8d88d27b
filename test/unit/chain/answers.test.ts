/** What a sector asks, and what it is told while there is no answer yet. */
import { beforeEach, describe, expect, test } from 'vitest';
import { drawTicket, freeNumbers, landingOf, seedOf } from '../../../src/chain/answers.js';
import type { Chain, Head, PreCommit } from '../../../src/chain/chain.js';
import { NETWORKS, type Network } from '../../../src/chain/network.js';

const SECTOR = 't01000/7';
const CID = 'bagboea4b5abours';

let epoch: number;
let preCommit: PreCommit | undefined;
let proved: string | undefined;
const chain: Chain = {
  head: (): Promise<Head> => Promise.resolve({ epoch, at: 0, key: epoch }),
  ticket: ({ miner, epoch: of }) => Promise.resolve(`ticket of ${miner} at ${of}`),
  seed: ({ miner, epoch: of }) => Promise.resolve(`seed of ${miner} at ${of}`),
  preCommit: () => Promise.resolve(preCommit),
  proved: () => Promise.resolve(proved),
  allocated: (miner) => Promise.resolve([{ first: Number(miner), count: 2 }]),
};
const watch = { chain, network: NETWORKS['mainnet'] as Network, confidence: 6 };
beforeEach(() => {
  [epoch, preCommit, proved] = [1_000_000, undefined, undefined];
});

describe('the ticket', () => {
  test('is drawn 900 epochs back, where nothing changes any more', async () => {
    expect(await drawTicket(watch, SECTOR)).toEqual({
      answer: {
        v: 1,
        ticket: 'ticket of 1000 at 999100',
        epoch: 999_100,
        life: { from: '2021-08-06T19:50:00.000Z', until: '2021-08-08T03:20:00.000Z' },
      },
    });
  });

  test('cannot be drawn before there are so many', async () => {
    epoch = 899;
    expect(await drawTicket(watch, SECTOR)).toEqual({ waits: 'the chain is younger than 900 epochs' });
  });
});

describe('the seed', () => {
  test('waits for the pre-commit', async () => {
    expect(await seedOf(watch, SECTOR, CID)).toEqual({
      waits: 'its pre-commit, which is not on chain at epoch 1000000',
    });
  });

  test('follows 150 epochs after it, and as many as make it sure', async () => {
    preCommit = { epoch: 999_990, sealedCid: CID };
    epoch = 999_990 + 150 + 5;
    expect(await seedOf(watch, SECTOR, CID)).toEqual({
      waits: 'its seed, of epoch 1000140: at about 2021-08-07 04:33Z (pre-commit at 999990)',
    });
    epoch += 1;
    expect(await seedOf(watch, SECTOR, CID)).toEqual({
      answer: {
        v: 1,
        seed: 'seed of 1000 at 1000140',
        preCommitEpoch: 999_990,
        proofUntil: '2021-09-06T04:30:00.000Z',
      },
    });
  });

  test('of a pre-commit that can no longer land is not waited for', async () => {
    const asked = (ticketEpoch?: number) => seedOf(watch, SECTOR, CID, ticketEpoch);
    epoch = 500_000 + 3780 + 6;
    expect(await asked(500_000)).toHaveProperty('waits');
    epoch += 1;
    await expect(asked(500_000)).rejects.toMatchObject({
      type: 'TicketStale',
      message: 'its pre-commit had to be on chain by epoch 503780, and is not at epoch 503787',
    });
    expect(await asked()).toHaveProperty('waits');
    proved = CID;
    expect(await asked(500_000)).toHaveProperty('waits');
    epoch += 200;
    preCommit = { epoch: 503_780, sealedCid: CID };
    expect(await asked(500_000)).toHaveProperty('answer');
  });

  test('of another commR is none of ours', async () => {
    preCommit = { epoch: 1, sealedCid: 'another' };
    await expect(seedOf(watch, SECTOR, CID)).rejects.toMatchObject({
      type: 'ChainDiffers',
      message: `commR another is pre-committed at epoch 1, ours is ${CID}`,
    });
  });
});

describe('the landing', () => {
  const landing = (of: number | undefined = 5) => landingOf(watch, SECTOR, CID, of);

  test('is known when the sector is proved on chain, with our commR', async () => {
    proved = CID;
    expect(await landing()).toEqual({ answer: { v: 1, landed: true } });
    proved = 'another';
    await expect(landing()).rejects.toMatchObject({ type: 'ChainDiffers' });
  });

  test('is waited for while the pre-commit stays where it was, or its epoch is not known', async () => {
    preCommit = { epoch: 5, sealedCid: CID };
    const waits = { waits: 'its proof, which is not on chain at epoch 1000000' };
    expect(await landing()).toEqual(waits);
    expect(await landing(undefined)).toEqual(waits);
  });

  test('a pre-commit that is gone is told', async () => {
    expect(await landing()).toEqual({
      waits: 'its proof; its pre-commit is not on chain either, at epoch 1000000',
    });
  });

  test('one that has moved has another seed, once that is sure', async () => {
    preCommit = { epoch: 999_990, sealedCid: CID };
    expect(await landing()).toMatchObject({
      waits: expect.stringContaining('its seed, of epoch 1000140') as string,
    });
    epoch += 200;
    expect(await landing()).toEqual({
      answer: {
        v: 1,
        landed: false,
        seed: 'seed of 1000 at 1000140',
        preCommitEpoch: 999_990,
        proofUntil: '2021-09-06T04:30:00.000Z',
      },
    });
    preCommit = { epoch: 999_990, sealedCid: 'another' };
    await expect(landing()).rejects.toMatchObject({ type: 'ChainDiffers' });
  });
});

test('free numbers are those that the chain has not allocated, at one epoch', async () => {
  expect(await freeNumbers(watch, { v: 1, miner: 't01', from: 0, count: 3 })).toEqual({
    v: 1,
    epoch: 1_000_000,
    free: [
      { first: 0, count: 1 },
      { first: 3, count: 2 },
    ],
  });
});
