import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { installRuntime } from '../../src/telemetry.js';

test('a port of metrics that is in use is told in one line, with its key', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const listen = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const message = new RegExp(
    `^metrics cannot be served at ${listen} \\(\\[metrics\\] listen, --metrics\\): .*in use.*$`,
  );
  expect(() => installRuntime(listen)).toThrow(
    expect.objectContaining({
      name: 'UserError',
      exitCode: 2,
      message: expect.stringMatching(message) as string,
    }),
  );
});
