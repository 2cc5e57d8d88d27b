import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { installRuntime, isWorthALine } from '../../src/telemetry.js';

test('metrics where something listens already are refused with key, address and port', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const refused = expect.objectContaining({
    name: 'UserError',
    exitCode: 1,
    message: expect.stringMatching(
      new RegExp(`^\\[metrics\\] listen = "127.0.0.1:${port}": .*Address already in use`),
    ) as string,
    hint: expect.stringContaining(`sport = :${port}`) as string,
  }) as Error;
  expect(() => installRuntime(`127.0.0.1:${port}`)).toThrow(refused);
});

test.each([
  ['No activities registered; a worker', {}, false],
  ['shutdown_worker rpc errored during worker shutdown: Status { code: Cancelled, message: "…" }', {}, false],
  ['shutdown_worker rpc errored during worker shutdown: Status { code: Unavailable }', {}, true],
  ['Activity failed', { activityType: 'commitPhase2' }, false],
  ['Activity failed', { activityType: 'abortSector' }, true],
  ['Workflow task failed', {}, true],
])('of the SDK only what is told nowhere else is logged: %s', (message, meta, expected) => {
  expect(isWorthALine({ message, meta })).toBe(expected);
});
