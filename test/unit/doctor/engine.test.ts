import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  checkParametersDeep,
  judgeEngine,
  judgeParameters,
  checkParameters,
} from '../../../src/doctor/checks/engine.js';
import { engineChecks } from '../../../src/doctor/engine-checks.js';
import { startChecks } from '../../../src/doctor/run-checks.js';
import type { Engine } from '../../../src/engines/engine.js';
import type { EngineInfo } from '../../../src/engines/info.js';
import { ENGINE } from '../../helpers/engine.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { config } from './samples.js';

const PUBLISHED_32 =
  'v28-stacked-proof-of-replication-merkletree-poseidon_hasher-8-8-0-sha256_hasher-82a357d2f2ca81dc61bb45f4a762807aedee1b0a53fd6c4e77b46a01bfef7820.params';

const info = (parameterDir: string): EngineInfo => ({
  v: 1,
  version: '0.1.0',
  proofs: '19.1.0',
  cuda: false,
  shaNi: true,
  multicoreSdr: true,
  parameterDir,
  sizes: {
    '32GiB': { parameters: true, partitions: 10, layers: 11 },
  },
});

/** A program that says this and ends so. */
async function program(words: string, code: number): Promise<Engine> {
  const path = join(await temporaryDirectory(), 'engine');
  await writeFile(path, `#!/bin/sh\necho '${words}' >&2\nexit ${code}\n`);
  await chmod(path, 0o755);
  return { command: [path], environment: {}, source: 'config.toml' };
}

const RIGHT = '7 bytes';
const digestOf = (text: string): string => createHash('blake2b512').update(text).digest('hex').slice(0, 32);

/** Parameters of the test engine, cut off. @returns their path */
async function damagedParameters(): Promise<string> {
  const directory = await temporaryDirectory();
  vi.stubEnv('FIL_PROOFS_PARAMETER_CACHE', directory);
  onTestFinished(() => void vi.unstubAllEnvs());
  const path = join(directory, 'v28-test-2KiB.params');
  await writeFile(path, 'cut');
  await writeFile(`${path}.checked`, JSON.stringify({ v: 1, size: RIGHT.length, digest: digestOf(RIGHT) }));
  return path;
}

const engineOf = (command: string[]) => ({
  ...config({ size: '2KiB', pools: [[1, 'P4']] }),
  engine: { command, reserved_cores: 0, environment: {} },
});
const check = (command: string[], deep = false) =>
  Promise.all(startChecks(engineChecks(engineOf(command), deep)));

describe('the engine', () => {
  test('is told with its version and where it comes from', () => {
    const engine: Engine = { command: ['/opt/engine'], environment: {}, source: 'SEALFLOW_ENGINE' };
    expect(judgeEngine(engine, info('/p'))).toMatchObject({
      result: 'ok',
      found: '0.1.0 with filecoin-proofs 19.1.0, from SEALFLOW_ENGINE (/opt/engine)',
    });
  });

  test('is asked, and its parameters are checked', async () => {
    for (const deep of [false, true]) {
      expect((await check(ENGINE, deep)).map(({ check, result }) => [check, result])).toEqual([
        ['engine', 'ok'],
        ['parameters', 'ok'],
      ]);
    }
  });

  test('is not there', async () => {
    expect(await check(['/no/such/engine'])).toEqual([
      {
        check: 'engine',
        result: 'fail',
        found: '[engine] command names no executable file: /no/such/engine',
        wanted: 'a check that completes',
        hint: 'give the path of an engine, or leave it out: then sealflow builds its own',
      },
      { check: 'parameters', result: 'skipped', found: 'no working engine', wanted: '', hint: '' },
    ]);
  });

  test('does not answer as one', async () => {
    const { command } = await program('no such command', 1);
    expect((await check(command))[0]).toMatchObject({
      result: 'fail',
      found: `${command[0]} does not answer \`info\` as an engine does: no such command`,
    });
  });

  test('is not asked for by a host of P6 alone', () => {
    expect(engineChecks(config({ pools: [[1, 'P6']], more: 'storage-nodes = ["/mnt/a"]' }), false)).toEqual(
      [],
    );
  });
});

describe('the parameters', () => {
  test('are missing', () => {
    expect(judgeParameters({ size: '2KiB', directory: '/p', present: false, bytes: undefined })).toEqual({
      result: 'fail',
      found: 'none for 2KiB in /p',
      wanted: 'proof parameters for this sector size: without them P4 is not served',
      hint: 'run sealflow setup --parameters 2KiB with the same --config and as the same user, or set FIL_PROOFS_PARAMETER_CACHE to a directory that has them',
    });
  });

  test('are as large as the published ones, or cut off', async () => {
    const directory = join(await temporaryDirectory(), 'parameters');
    await mkdir(directory);
    const file = join(directory, PUBLISHED_32);
    await writeFile(file, '');
    await truncate(file, 47_000_000_000);
    expect(judgeParameters(await checkParameters(info(directory), '32GiB'))).toMatchObject({
      result: 'ok',
      found: `${directory}, 47.0 GB`,
    });
    await truncate(file, 12_000_000_000);
    expect(judgeParameters(await checkParameters(info(directory), '32GiB'))).toEqual({
      result: 'fail',
      found: `12.0 GB in ${directory}`,
      wanted: '40.0 GB or more',
      hint: 'the file is truncated: sealflow setup --parameters 32GiB, with the same --config, replaces it',
    });
  });

  test('have other digests than they should have', async () => {
    const engine = await program('x.params is damaged: its BLAKE2b is a, that of the right file b', 5);
    const found = 'exit code 5: x.params is damaged: its BLAKE2b is a, that of the right file b';
    expect(await checkParametersDeep(engine, '32GiB')).toEqual({
      result: 'fail',
      found,
      wanted: 'parameters of 32GiB as published',
      hint: 'run sealflow setup --parameters 32GiB with the same --config and as the same user',
    });
    expect(await checkParametersDeep(engine, '2KiB')).toEqual({
      result: 'fail',
      found,
      wanted: 'parameters of 2KiB as generated',
      hint: 'delete the file, then run sealflow setup --parameters 2KiB with the same --config and as the same user',
    });
  });

  test('are known to be damaged: with their size or digest, without reading them', async () => {
    const path = await damagedParameters();
    const found = `${path} is damaged: it has 3 bytes, the right file has 7 (delete it, then \`sealflow setup --parameters 2KiB\` generates all anew)`;
    expect((await check(ENGINE))[1]).toEqual({
      check: 'parameters',
      result: 'fail',
      found,
      wanted: 'whole proof parameters: without them P4 is not served',
      hint: 'delete the file, then run sealflow setup --parameters 2KiB with the same --config and as the same user',
    });
    expect((await check(ENGINE, true))[1]).toMatchObject({
      result: 'fail',
      found: expect.stringContaining(found) as string,
    });
  });

  test('were damaged and are right again, as a deep look finds', async () => {
    const path = await damagedParameters();
    await writeFile(path, RIGHT);
    const { size, mtimeNs } = await stat(path, { bigint: true });
    const state = {
      size: Number(size),
      modifiedSeconds: Number(mtimeNs / 1_000_000_000n),
      modifiedNanoseconds: Number(mtimeNs % 1_000_000_000n),
    };
    const note = {
      v: 1,
      size: RIGHT.length,
      digest: digestOf(RIGHT),
      damaged: { ...state, digest: 'other' },
    };
    await writeFile(`${path}.checked`, JSON.stringify(note));
    const results = [];
    for (const deep of [false, true, false]) results.push((await check(ENGINE, deep))[1]?.result);
    expect(results).toEqual(['fail', 'ok', 'ok']);
  });

  test('cannot be compared when nobody has recorded a digest', async () => {
    await rm(`${await damagedParameters()}.checked`);
    expect((await check(ENGINE))[1]).toMatchObject({ result: 'ok' });
    expect((await check(ENGINE, true))[1]).toMatchObject({
      result: 'warn',
      found: 'no digest was recorded of v28-test-2KiB.params',
      wanted: 'parameters of 2KiB as generated',
    });
  });
});
