/** When P6 may delete: the later of the sector's start option and the host's config. */
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createTestHost, failureFrom, type TestHost } from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
  await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
});

describe.each([
  { sector: 'landed', configured: 'proof' },
  { sector: 'proof', configured: 'landed' },
  { sector: undefined, configured: 'landed' },
  { sector: 'landed', configured: 'landed' },
] as const)('with $sector at the start and $configured in the config', ({ sector, configured }) => {
  const clean = (landed?: true) =>
    host.clean(
      { seal: { ...host.seal, cleanAfter: sector }, landed },
      {},
      { scratch: { cleanAfter: configured } },
    );

  test('P6 deletes only what has landed', async () => {
    expect(await failureFrom(clean())).toMatchObject({ type: 'NotLanded', nonRetryable: true });
    expect(existsSync(host.path('1/P1-1', 'result.json'))).toBe(true);
    await clean(true);
    expect(existsSync(host.directory)).toBe(false);
  });
});

test.each([undefined, 'proof'] as const)(
  'with %s at the start and proof in the config P6 deletes at once',
  async (sector) => {
    await host.clean(
      { seal: { ...host.seal, cleanAfter: sector } },
      {},
      { scratch: { cleanAfter: 'proof' } },
    );
    expect(existsSync(host.directory)).toBe(false);
  },
);
