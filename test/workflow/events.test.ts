/** What a sector costs: events of its history. Temporal keeps each for weeks, and an orchestrator reads them all after a restart. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { landedUpdate } from '../../src/messages.js';
import { PHASE_IDS, TIMES, workShownAfter, type PhaseId } from '../../src/phases.js';
import { FakeChain, LANDED } from '../helpers/chain-worker.js';
import { fakeActivities, held } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { SEED, type Sealing, type SealingOptions } from '../helpers/sealing.js';

/** Those that last at 32 GiB. Of the others lists do not show that they work: that would be five events for each. */
const LASTING = PHASE_IDS.filter((phase) => workShownAfter(phase, TIMES) < 60_000);

const orchestrator = useOrchestrator();
const chain = new FakeChain();
beforeAll(() => chain.serve(orchestrator.temporal));
// Before the connection that it uses: hooks that were added later run first.
afterAll(() => chain.stop());

/** All that lasts is told before it ends, and P5 ends behind P4, not with it. */
async function sealSlowly(
  input: SealingOptions['input'],
  give: (sealing: Sealing) => Promise<unknown> = () => Promise.resolve(),
): Promise<number> {
  const checkpoints = { P1: held(), P2: held(), P4: held(), P5: held() };
  const fakes = fakeActivities(
    Object.fromEntries(Object.entries(checkpoints).map(([phase, checkpoint]) => [phase, [checkpoint]])),
  );
  fakes.tells = LASTING;
  const sealing = await orchestrator.prepare({ fakes, input });
  chain.take(sealing.input.sector, { awaitLanded: () => Promise.resolve(LANDED) });
  await sealing.start();
  const working = (phase: PhaseId) => sealing.until(({ phases }) => phases[phase].state === 'working');
  for (const phase of ['P1', 'P2'] as const) {
    await working(phase);
    checkpoints[phase].release();
  }
  const given = give(sealing);
  await working('P4');
  await working('P5');
  checkpoints.P4.release();
  await sealing.until(({ phases }) => phases.P4.state === 'done');
  checkpoints.P5.release();
  await given;
  await sealing.handle.result();
  const { historyLength } = await sealing.handle.describe();
  console.log(`events ${historyLength}`);
  return historyLength;
}

test('a sector costs under 70 events', async () => {
  expect(LASTING).toEqual(['P1', 'P2', 'P4', 'P5']);
  expect(await sealSlowly({})).toBeLessThan(70);
});

test('six more with a seed that comes later, and six with a proof that must land', async () => {
  const give = async (sealing: Sealing): Promise<void> => {
    await sealing.until(({ state }) => state === 'waiting-for-seed');
    await sealing.provideSeed({ seed: SEED });
    await sealing.until(({ state }) => state === 'waiting-for-landed');
    await sealing.handle.executeUpdate(landedUpdate, { args: [{}] });
  };
  expect(await sealSlowly({ seed: undefined, cleanAfter: 'landed' }, give)).toBeLessThan(82);
});

test('a sector that follows the chain costs up to 90', async () => {
  const follows = { ticket: undefined, seed: undefined, chain: true } as const;
  expect(await sealSlowly(follows)).toBeLessThan(91);
});
