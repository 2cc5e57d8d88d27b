import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { executables, outcome, removeUnused } from '../../../scripts/engine-tests.mjs';
import { temporaryDirectory } from '../../helpers/temporary.js';

const artifact = (executable: string | null, test: boolean): string =>
  JSON.stringify({ reason: 'compiler-artifact', executable, profile: { test } });

test("the engine and its test programs are named in cargo's messages", () => {
  const messages = [
    artifact(null, false),
    artifact('/t/release/sealflow-engine', false),
    artifact('/t/release/deps/sealflow_engine-0a', true),
    artifact('/t/release/deps/engine-0b', true),
    JSON.stringify({ reason: 'build-finished', success: true }),
  ].join('\n');
  expect(executables(`${messages}\n`)).toEqual({
    engine: '/t/release/sealflow-engine',
    tests: ['/t/release/deps/sealflow_engine-0a', '/t/release/deps/engine-0b'],
  });
  expect(() => executables(artifact('/t/release/sealflow-engine', false))).toThrow('no test programs');
});

test('tests are counted; a program that dies has failed', () => {
  const said =
    'running 9 tests\n\ntest result: FAILED. 6 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out\n';
  expect(outcome({ status: 101, said })).toEqual({ passed: 6, failed: 2, skipped: 1 });
  expect(outcome({ status: 0, said: said.replace('2 failed', '0 failed') })).toMatchObject({ failed: 0 });
  expect(outcome({ status: 134, said: 'running 9 tests\n' })).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test('only programs that were not used for long are removed', async () => {
  const directory = await temporaryDirectory();
  for (const [name, days] of [
    ['old', 31],
    ['new', 29],
  ] as const) {
    await mkdir(join(directory, name));
    const used = new Date(Date.now() - days * 86_400_000);
    await utimes(join(directory, name), used, used);
  }
  await removeUnused(directory, 30);
  expect(await readdir(directory)).toEqual(['new']);
});
