import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { cachePath } from '../../../src/machine/cache.js';
import { notBuilt } from '../../../src/engines/not-built.js';

test('an engine that another user has built is not missing without a word on whose is looked for', () => {
  expect(notBuilt()).toBe(
    `the engine is not built for user ${userInfo().username} (none in ${cachePath('engine')})`,
  );
});
