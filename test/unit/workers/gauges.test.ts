import { NativeConnection, Runtime } from '@temporalio/worker';
import { beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../src/temporal/embedded/ports.js';
import { createGauges } from '../../../src/workers/gauges.js';
import { gaugesAt } from '../../helpers/gauges.js';

let listen: string;
let gauges: ReturnType<typeof createGauges>;

beforeEach(async () => {
  listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
  // Another test of this process may have a runtime.
  await Runtime.instance().shutdown();
  Runtime.install({ telemetryOptions: { metrics: { prometheus: { bindAddress: listen } } } });
  gauges = createGauges();
  return () => Runtime.instance().shutdown();
});

test('each tells what it was told last', async () => {
  for (const is of [true, false]) {
    gauges.slots('P1', is ? 3 : 2, 10);
    gauges.slots('P2+P3', 0, 4);
    gauges.room(is);
    gauges.scratch(is ? 700 : 500, is ? 0 : 100);
    gauges.served('P1', is);
    gauges.served('P4', !is);
    gauges.drained(!is);
    const [one, other] = is ? [1, 0] : [0, 1];
    expect(Object.fromEntries(await gaugesAt(listen))).toEqual({
      'sealflow_slots P1': 10,
      'sealflow_slots_taken P1': is ? 3 : 2,
      'sealflow_slots P2+P3': 4,
      'sealflow_slots_taken P2+P3': 0,
      sealflow_room_for_new_sector: one,
      sealflow_scratch_free_bytes: is ? 700 : 500,
      sealflow_scratch_reserved_bytes: is ? 0 : 100,
      'sealflow_phase_served P1': one,
      'sealflow_phase_served P4': other,
      sealflow_drained: other,
    });
  }
});

test('they outlive the runtime of the SDK, which goes with a connection that fails: with the values from before', async () => {
  gauges.slots('P1', 1, 10);
  gauges.slots('P4', 2, 3);
  gauges.room(true);
  gauges.drained(false);
  const before = await gaugesAt(listen);
  expect(before.get('sealflow_slots P1')).toBe(10);

  const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
  await expect(NativeConnection.connect({ address })).rejects.toThrow();
  gauges.renew();
  expect(await gaugesAt(listen)).toEqual(before);
  gauges.slots('P1', 2, 10);
  expect((await gaugesAt(listen)).get('sealflow_slots_taken P1')).toBe(2);
});
