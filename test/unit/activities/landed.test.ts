/** When P6 may delete: what the sector was started with, and what the host's config says, whichever is later. */
import { existsSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createSite, failureFrom, type Site } from '../../helpers/site.js';

let site: Site;
beforeEach(async () => {
  site = await createSite();
  await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
});

describe.each([
  { sector: 'landed', host: 'proof' },
  { sector: 'proof', host: 'landed' },
  { sector: undefined, host: 'landed' },
  { sector: 'landed', host: 'landed' },
] as const)('with $sector at the start and $host in the config', ({ sector, host }) => {
  const clean = (landed?: true) =>
    site.clean({ seal: { ...site.seal, cleanAfter: sector }, landed }, {}, { cleanAfter: host });

  test('P6 deletes only what has landed', async () => {
    expect(await failureFrom(clean())).toMatchObject({ type: 'NotLanded', nonRetryable: true });
    expect(existsSync(site.path('1/P1-1', 'result.json'))).toBe(true);
    await clean(true);
    expect(existsSync(site.directory)).toBe(false);
  });
});

test.each([undefined, 'proof'] as const)(
  'with %s at the start and proof in the config P6 deletes at once',
  async (sector) => {
    await site.clean({ seal: { ...site.seal, cleanAfter: sector } }, {}, { cleanAfter: 'proof' });
    expect(existsSync(site.directory)).toBe(false);
  },
);
