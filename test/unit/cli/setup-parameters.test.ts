/** `sealflow setup --parameters`: what it prints, its exit codes, Ctrl-C. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { beforeEach, expect, test, vi } from 'vitest';
import { setupCommand } from '../../../src/cli/commands/setup.js';
import { publishedFiles } from '../../fixtures/engine/published.mjs';
import { engineProgram } from '../../helpers/engine-program.js';
import { Gateway, stall, status } from '../../helpers/gateway.js';
import { startSealflow } from '../../helpers/sealflow.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

// A program that imports from src/ takes seconds to start on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const LOADER = new URL('../../helpers/ts-loader.mjs', import.meta.url).href;
const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

const files = publishedFiles('32GiB');
const [, big] = files;
let gateway: Gateway;
let directory: string;
let parameters: string;
let env: Record<string, string>;

beforeEach(async () => {
  gateway = await Gateway.start(files.map(({ cid, content }) => [cid, content]));
  directory = await temporaryDirectory();
  parameters = join(directory, 'parameters');
  env = {
    FIL_PROOFS_PARAMETER_CACHE: parameters,
    IPFS_GATEWAY: gateway.url,
    SEALFLOW_ENGINE: await engineProgram(directory),
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  };
});

/** Runs the command within this process. @returns the lines of its stdout and stderr, without times */
async function setup(...args: string[]): Promise<{ stdout: string[]; stderr: string[] }> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    });
  }
  const command = setupCommand().exitOverride();
  await command.parseAsync(args, { from: 'user' }).finally(() => vi.restoreAllMocks());
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/^\[.*?\] /, '').replace(/\d+\.\d s/, 'N s'));
  return { stdout: lines(said.stdout), stderr: lines(said.stderr) };
}

test('fetches what is missing, without a config; a second run finds it', async () => {
  const { stdout, stderr } = await setup('--parameters', '32GiB');
  expect(stderr).toEqual([]);
  expect(stdout[0]).toBe('proof parameters for 32GiB: fetching the verifying key');
  expect(stdout.at(-1)).toBe(`proof parameters for 32GiB: done in N s; ${parameters}`);
  for (const { name, content } of files) {
    expect(content.equals(await readFile(join(parameters, name)))).toBe(true);
  }
  const json = await setup('--parameters', '32GiB', '--json');
  expect(JSON.parse(json.stdout.join(''))).toMatchObject({ parameters });
  expect(gateway.asked).toHaveLength(2);
});

test('names a wrong file on stderr, and replaces it', async () => {
  await setup('--parameters', '32GiB');
  await writeFile(join(parameters, big?.name ?? ''), 'wrong');
  const { stderr } = await setup('--parameters', '32GiB', '--json');
  expect(stderr).toEqual([
    expect.stringMatching(
      /^sealflow: .*params is not the published file \(its BLAKE2b is .*\): it will be replaced$/,
    ),
  ]);
});

test('takes the directory of a config.toml', async () => {
  const other = join(directory, 'other');
  const config = join(directory, 'config.toml');
  const example = await readFile(new URL('../../../examples/process-3-p4.toml', import.meta.url), 'utf8');
  const line = /^FIL_PROOFS_PARAMETER_CACHE = .*$/m;
  expect(example).toMatch(line);
  await writeFile(config, example.replace(line, `FIL_PROOFS_PARAMETER_CACHE = "${other}"`));
  const { stdout } = await setup('--parameters', '32GiB', '--config', config, '--json');
  expect(JSON.parse(stdout.join(''))).toMatchObject({ parameters: other });
  expect((await stat(join(other, big?.name ?? ''))).size).toBe(big?.content.length);
});

test('has the engine make those of test sizes', async () => {
  const { stdout } = await setup('--parameters', '2KiB');
  expect(stdout.at(-1)).toBe(`proof parameters for 2KiB: done in N s; ${parameters}`);
  expect(gateway.asked).toEqual([]);
});

test('says what failed and what to do, exit 1', async () => {
  gateway.always = status(404);
  await expect(setup('--parameters', '32GiB')).rejects.toMatchObject({
    name: 'UserError',
    exitCode: 1,
    message: `${files[0]?.name} cannot be fetched: ${gateway.url}${files[0]?.cid}: the server answers 404`,
    hint: `set IPFS_GATEWAY to another gateway, or copy the file from another host to ${parameters}`,
  });
});

test('refuses a size that there is not, as wrong use', async () => {
  await expect(setup('--parameters', '3GiB')).rejects.toThrow(CommanderError);
});

test('stops at once on Ctrl-C, and goes on with the next run', async () => {
  gateway.next = [undefined, stall(100_000)];
  const running = startSealflow(['setup', '--parameters', '32GiB'], {
    env: { ...env, NODE_OPTIONS: `--import ${LOADER}` },
    main: MAIN,
  });
  const part = join(parameters, `${big?.name}.part`);
  const arrived = (): Promise<boolean> =>
    stat(part).then(
      ({ size }) => size === 100_000,
      () => false,
    );
  await vi.waitUntil(arrived, { timeout: 50_000 });
  running.kill('SIGINT');
  expect(await running.ended).toMatchObject({
    code: 1,
    stderr: 'sealflow: stopped\n  the same command goes on where it stopped\n',
  });
  expect((await stat(part)).size).toBe(100_000);
  await setup('--parameters', '32GiB');
  expect(gateway.asked.at(-1)?.range).toBe('bytes=100000-');
});
