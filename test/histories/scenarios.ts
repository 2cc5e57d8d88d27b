/** The scenarios of the recorded histories, one file each. */
import type { SealInput } from '../../src/contract.js';
import { SealError } from '../../src/seal-error.js';
import { abortUpdate, landedUpdate } from '../../src/messages.js';
import { PHASE_IDS } from '../../src/phases.js';
import { FakeChain, LANDED, MOVED } from '../helpers/chain-worker.js';
import { fakeActivities, held, repeat, type Fakes } from '../helpers/fakes.js';
import { OTHER_SEED, SEED, type Sealing } from '../helpers/sealing.js';

export interface Scenario {
  /** File name, without extension. */
  name: string;
  fakes: Fakes;
  input?: Partial<SealInput>;
  /** Drives the sector to its end. */
  drive: (sealing: Sealing) => Promise<unknown>;
}

const untilEnd = ({ handle }: Sealing): Promise<unknown> => handle.result();

/** Returns new fakes for each recording, as fakes count their calls. */
export function scenarios(): Scenario[] {
  const panic = new SealError('Panic', 'index out of bounds', { at: '1/P2-1', host: '10.0.0.2' });
  const replicaDamaged = new SealError('StepBack', 'the replica is damaged', { at: '1/P5-1', from: 'P2' });
  return [
    { name: 'normal', fakes: fakeActivities(), drive: untilEnd },
    // Hosts tell where they work, of each phase; today of those that last, and those of `normal` of none.
    { name: 'told', fakes: Object.assign(fakeActivities(), { tells: PHASE_IDS }), drive: untilEnd },
    {
      name: 'seed-late',
      fakes: fakeActivities(),
      input: { seed: undefined },
      drive: async (sealing) => {
        await sealing.until(({ state }) => state === 'waiting-for-seed');
        await sealing.provideSeed({ seed: SEED });
        await untilEnd(sealing);
      },
    },
    {
      name: 'chain',
      fakes: Object.assign(fakeActivities(), { tells: PHASE_IDS }),
      input: { ticket: undefined, seed: undefined, chain: true },
      drive: async (sealing) => {
        const chain = new FakeChain();
        const landings = [{ ...MOVED, landed: false as const }, LANDED];
        chain.take(sealing.input.sector, { awaitLanded: () => Promise.resolve(landings.shift() ?? LANDED) });
        await chain.serve(sealing.temporal);
        await untilEnd(sealing).finally(() => chain.stop());
      },
    },
    { name: 'step-back', fakes: fakeActivities({ P4: [held()], P5: [replicaDamaged] }), drive: untilEnd },
    {
      name: 'attention',
      fakes: fakeActivities({ P2: repeat(5, panic) }),
      drive: async (sealing) => {
        await sealing.untilAttention('P2');
        await sealing.retry();
        await untilEnd(sealing);
      },
    },
    {
      name: 'cancelled',
      fakes: fakeActivities({ P1: [held()] }),
      drive: async (sealing) => {
        await sealing.fakes.begun('P1');
        await sealing.handle.cancel();
        await untilEnd(sealing).catch(() => undefined);
      },
    },
    {
      name: 'aborted',
      fakes: fakeActivities({ P4: [held()], P5: [held()], abort: [new SealError('MountMissing', 'not there')] }),
      drive: async (sealing) => {
        await sealing.fakes.begun('P4');
        await sealing.fakes.begun('P5');
        await sealing.handle.executeUpdate(abortUpdate, { args: [{ why: 'wrong miner' }] });
        await untilEnd(sealing).catch(() => undefined);
      },
    },
    {
      name: 'landed',
      fakes: fakeActivities({
        P5: [new SealError('CopyDamaged', 'read back: sealed differs', { at: '1/P5-1', host: '10.0.0.5' })],
        P6: [new SealError('NotLanded', 'the scratch is kept until the proof is on chain')],
      }),
      drive: async (sealing) => {
        await sealing.until(({ state }) => state === 'waiting-for-landed');
        await sealing.handle.executeUpdate(landedUpdate, { args: [{ message: 'bafy2bzace' }] });
        await untilEnd(sealing);
      },
    },
    {
      name: 'restored',
      // A later claim of the same run, made before the database was restored; then a new seed while P4 runs.
      fakes: fakeActivities({ P2: [new SealError('Overtaken', 'claim 3 is in force', { claim: 3 })], P4: [held()] }),
      drive: async (sealing) => {
        await sealing.fakes.begun('P4');
        await sealing.provideSeed({ seed: OTHER_SEED, replace: true });
        await untilEnd(sealing);
      },
    },
  ];
}
