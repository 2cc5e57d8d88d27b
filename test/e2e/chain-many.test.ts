/** From `start --count` to landed: many sectors at once, while the chain does what chains do. */
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { FINALITY, SEED_DELAY } from '../../src/chain/policy.js';
import { ChainSite } from '../helpers/chain-site.js';
import { eventually } from '../helpers/eventually.js';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 });

let site: ChainSite;

beforeAll(async () => {
  site = await ChainSite.start();
  return () => site.end();
});

test('twenty sectors of two miners, with null rounds, a reorganisation, a node that is down and two orchestrators, need no hand', async () => {
  const { chain, cluster } = site;
  const second = await site.orchestrator(chain.config);
  onTestFinished(() => second.kill('SIGKILL'));
  chain.hasNullRounds = true;
  for (const miner of ['t02000', 't02001'])
    expect(await site.start(miner, '--count', '10')).toMatchObject({ code: 0, stderr: '' });
  const sectors = ['t02000', 't02001'].flatMap((miner) =>
    Array.from({ length: 10 }, (_, number) => `${miner}/${number}`),
  );
  const forgotten = 't02001/9';
  const operating = site.operate(sectors, [forgotten]);
  await eventually(() => sectors.filter((sector) => chain.landedAt(sector) !== undefined).length >= 5);
  const moved = chain.reorganise(1_000);
  chain.fault = 'down';
  const down = chain.epoch;
  await eventually(() => chain.epoch > down + SEED_DELAY);
  chain.fault = undefined;
  await operating;

  await eventually(site.isIn(forgotten, 'waiting-for-seed'));
  await eventually(async () =>
    (await site.shown(forgotten)).includes('waits for its pre-commit, which is not on chain at epoch '),
  );
  await site.operate([forgotten]);
  await Promise.all(sectors.map(cluster.sealed.bind(cluster)));

  expect(moved.length).toBeGreaterThanOrEqual(5);
  for (const sector of sectors) {
    const { ticket, ticketEpoch = 0, seed, preCommitEpoch = 0 } = await cluster.status(sector);
    expect(preCommitEpoch).toBe(chain.landedAt(sector));
    expect(ticket).toBe(chain.draw('Tickets', ticketEpoch, sector));
    expect(seed).toBe(chain.draw('Beacon', preCommitEpoch + SEED_DELAY, sector));
    expect(chain.epoch - ticketEpoch).toBeGreaterThan(FINALITY);
    const { activities } = await cluster.history(sector);
    // Who waits for the chain may be taken for lost on a busy machine, and another one waits: but a ticket is drawn once.
    const asked = activities.filter((name) => /^(draw|await)/.test(name));
    expect(asked.filter((name, i) => name !== asked[i - 1])).toEqual([
      'drawTicket',
      'awaitSeed',
      'awaitLanded',
    ]);
    expect(asked.filter((name) => name === 'drawTicket')).toHaveLength(1);
  }
  const draws = chain.asked.filter((method) => method.endsWith('RandomnessFromTickets'));
  expect(draws).toHaveLength(sectors.length);
  second.kill('SIGTERM');
  expect((await second.ended).code).toBe(0);
});
