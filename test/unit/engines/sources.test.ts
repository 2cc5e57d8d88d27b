import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sourceKey } from '../../../src/engines/build/sources.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

test("tests change the key of the test programs, and not the program's", async () => {
  const crate = await temporaryDirectory();
  for (const name of ['src', 'tests/engine']) await mkdir(join(crate, name), { recursive: true });
  for (const name of ['Cargo.toml', 'src/main.rs', 'tests/engine/main.rs']) {
    await writeFile(join(crate, name), name);
  }
  const keys = (): Promise<(string | undefined)[]> =>
    Promise.all([sourceKey(crate, []), sourceKey(crate, [], ['tests'])]);
  const before = await keys();
  await writeFile(join(crate, 'tests/engine/main.rs'), 'changed');
  const after = await keys();
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  await writeFile(join(crate, 'src/main.rs'), 'changed');
  const last = await keys();
  expect(last.map((key, i) => key === after[i])).toEqual([false, false]);
});
