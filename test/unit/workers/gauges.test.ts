/** Gauges outlive the SDK's runtime, which goes with a connection that fails. */
import { NativeConnection, Runtime } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { freePort } from '../../../src/temporal/embedded/ports.js';
import { createGauges } from '../../../src/workers/gauges.js';
import { gaugesAt } from '../../helpers/gauges.js';

test('they are there after a connection that failed, with the values from before', async () => {
  const listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const options = { telemetryOptions: { metrics: { prometheus: { bindAddress: listen } } } };
  // Another test of this process may have a runtime.
  await Runtime.instance().shutdown();
  Runtime.install(options);
  const gauges = createGauges();
  gauges.slots('P1', 1, 10);
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
  await Runtime.instance().shutdown();
});
