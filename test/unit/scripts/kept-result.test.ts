import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keptResult } from '../../../scripts/kept-result.mjs';
import { temporaryDirectory } from '../../helpers/temporary.js';

const counts = { passed: 3, failed: 0, skipped: 1 };

test('what has passed is not made again until something changes on which it depends', async () => {
  const directory = await temporaryDirectory();
  let made = 0;
  const make = (): Promise<typeof counts & { said: string }> => {
    made++;
    return Promise.resolve({ ...counts, said: 'all about it' });
  };
  const result = (dependsOn: string[], options = {}): ReturnType<typeof keptResult> =>
    keptResult(directory, 'cargo-test', dependsOn, make, options);
  expect(await result(['a', 'b'])).toEqual({ ...counts, said: 'all about it' });
  expect(await result(['a', 'b'])).toEqual({
    ...counts,
    said: expect.stringMatching(/^3 passed at \d{4}-.*Z, and nothing has changed since/) as string,
  });
  expect(made).toBe(1);
  await result(['a', 'c']);
  expect(made).toBe(2);
  expect(await result(['a', 'b'], { anew: true })).toMatchObject({ said: 'all about it' });
  expect(made).toBe(3);
});

test('what has failed is made again, and so is what cannot be read', async () => {
  const directory = await temporaryDirectory();
  let failed = 1;
  const make = (): Promise<typeof counts & { said: string }> =>
    Promise.resolve({ ...counts, failed, said: '' });
  expect(await keptResult(directory, 'fmt', ['a'], make)).toMatchObject({ failed: 1 });
  expect(await readdir(directory).catch(() => [])).toEqual([]);
  failed = 0;
  expect(await keptResult(directory, 'fmt', ['a'], make)).toMatchObject({ failed: 0 });
  const [name = ''] = await readdir(directory);
  await writeFile(join(directory, name), '{"passed":');
  failed = 2;
  expect(await keptResult(directory, 'fmt', ['a'], make)).toMatchObject({ failed: 2 });
});
