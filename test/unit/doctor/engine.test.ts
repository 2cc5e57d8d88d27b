import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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

const info = (parameterDir: string, parameters = true): EngineInfo => ({
  v: 1,
  version: '0.1.0',
  proofs: '19.1.0',
  cuda: false,
  shaNi: true,
  parameterDir,
  sizes: {
    '32GiB': { parameters, partitions: 10, layers: 11 },
    '2KiB': { parameters, partitions: 1, layers: 2 },
  },
});

/** A program that says this and ends so. */
async function program(words: string, code: number): Promise<Engine> {
  const path = join(await temporaryDirectory(), 'engine');
  await writeFile(path, `#!/bin/sh\necho '${words}' >&2\nexit ${code}\n`);
  await chmod(path, 0o755);
  return { command: [path], environment: {}, source: 'config.toml' };
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

  test('have other digests than the published ones', async () => {
    const engine = await program('x.params is not the published file', 5);
    expect(await checkParametersDeep(engine, '32GiB')).toEqual({
      result: 'fail',
      found: 'exit code 5: x.params is not the published file',
      wanted: 'parameters of 32GiB as published',
      hint: 'run sealflow setup --parameters 32GiB with the same --config',
    });
  });
});
