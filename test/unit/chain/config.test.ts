import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readOrchestratorConfig, sourceOf } from '../../../src/chain/config.js';
import { NETWORKS } from '../../../src/chain/network.js';
import { readText } from '../../../src/config.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let file: string;
beforeEach(async () => {
  file = join(await temporaryDirectory(), 'orchestrator.toml');
});

const read = async (...lines: string[]) => {
  await writeFile(file, lines.join('\n'));
  return readOrchestratorConfig(file);
};
const API = 'lotus_api = "http://10.0.0.5:1234/rpc/v1"';

test('a network that is known by its name', async () => {
  expect(
    await read('scheduler_url = "http://10.10.19.17:7233"', '[chain]', 'network = "calibration"', API),
  ).toEqual({
    schedulerUrl: 'http://10.10.19.17:7233',
    chain: {
      network: NETWORKS['calibration'],
      lotusApi: 'http://10.0.0.5:1234/rpc/v1',
      tokenFile: undefined,
      command: undefined,
      timeoutMs: 30_000,
      confidence: 6,
    },
  });
});

test('a network of its own', async () => {
  const { chain } = await read(
    '[chain]',
    'genesis = 2026-01-01T00:00:00Z',
    'epoch_seconds = 4',
    API,
    'confidence = 2',
  );
  expect(chain).toMatchObject({
    network: { genesis: Date.parse('2026-01-01T00:00:00Z'), epochMs: 4000 },
    confidence: 2,
  });
});

test('a command in place of a node', async () => {
  const { chain } = await read('[chain]', 'network = "mainnet"', 'command = ["own-chain", "--fast"]');
  expect(chain).toMatchObject({ lotusApi: undefined, command: ['own-chain', '--fast'] });
  expect(chain && sourceOf(chain)).toBe('by own-chain --fast');
});

test("a host's config.toml tells where the server is, and no chain", () => {
  const example = new URL('../../../examples/process-3-p4.toml', import.meta.url).pathname;
  expect(readText(example)).toContain('scheduler_url');
  expect(readOrchestratorConfig(example)).toMatchObject({
    chain: undefined,
    schedulerUrl: expect.stringMatching(/^http/) as string,
  });
});

describe('what is wrong is named', () => {
  test.each<[string, string[], RegExp]>([
    [
      'no such network',
      ['network = "mainnett"', API],
      /chain\.network = "mainnett": must be one of mainnet, calibration/,
    ],
    ['no network', [API], /chain.*needs network, or genesis and epoch_seconds: one of both/],
    [
      'both',
      ['network = "mainnet"', 'genesis = 2026-01-01T00:00:00Z', 'epoch_seconds = 4', API],
      /one of both/,
    ],
    ['half of it', ['genesis = 2026-01-01T00:00:00Z', API], /genesis and epoch_seconds belong together/],
    [
      'no API',
      ['network = "mainnet"'],
      /chain = \{"network":"mainnet".*: needs lotus_api or command: one of both$/,
    ],
    [
      'an API and a command',
      ['network = "mainnet"', API, 'command = ["/opt/own/chain"]'],
      /: needs lotus_api or command: one of both$/,
    ],
    [
      'a token of a command',
      ['network = "mainnet"', 'command = ["/opt/own/chain"]', 'token_file = "/etc/token"'],
      /: token_file belongs to lotus_api: a command finds its own$/,
    ],
    [
      'a command as a text',
      ['network = "mainnet"', 'command = "/opt/own/chain --fast"'],
      /chain\.command = "\/opt\/own\/chain --fast": must be a list, like command = \["\/opt\/own\/chain"\]$/,
    ],
    [
      'a command of nothing',
      ['network = "mainnet"', 'command = []'],
      /chain\.command = \[\]: must have 1 or more, like command = /,
    ],
    [
      'a command in a relative directory',
      ['network = "mainnet"', 'command = ["bin/chain"]'],
      /chain\.command = \["bin\/chain"\]: must begin with an absolute path, or a name in PATH$/,
    ],
    [
      'an API without http',
      ['network = "mainnet"', 'lotus_api = "10.0.0.5:1234"'],
      /lotus_api = "10\.0\.0\.5:1234": must be an address/,
    ],
    [
      'a relative token file',
      ['network = "mainnet"', API, 'token_file = "token"'],
      /token_file = "token": must be an absolute path/,
    ],
    [
      'a timeout of nothing',
      ['network = "mainnet"', API, 'timeout_sec = 0'],
      /chain\.timeout_sec = 0: must be more than 0/,
    ],
    [
      'a timeout of hours',
      ['network = "mainnet"', API, 'timeout_sec = 3600'],
      /timeout_sec = 3600: must be 600 or less/,
    ],
    [
      'a genesis in quotes',
      ['genesis = "2026-01-01T00:00:00Z"', 'epoch_seconds = 4', API],
      /chain\.genesis = "2026-01-01T00:00:00Z": must be a time without quotes, like 2026-01-01T00:00:00Z$/,
    ],
    ...['2026-01-01', '2026-01-01T00:00:00', '07:32:00'].map((genesis): [string, string[], RegExp] => [
      `the genesis ${genesis}`,
      [`genesis = ${genesis}`, 'epoch_seconds = 4', API],
      /chain\.genesis = ".*": must be a time without quotes, like 2026-01-01T00:00:00Z$/,
    ]),
    [
      'epochs of nothing',
      ['genesis = 2026-01-01T00:00:00Z', 'epoch_seconds = 0', API],
      /chain\.epoch_seconds = 0: must be more than 0/,
    ],
    [
      'epochs of days',
      ['genesis = 2026-01-01T00:00:00Z', 'epoch_seconds = 86400', API],
      /chain\.epoch_seconds = 86400: must be 3600 or less/,
    ],
    [
      'a confidence below 0',
      ['network = "mainnet"', API, 'confidence = -1'],
      /chain\.confidence = -1: must be 0 or more/,
    ],
    [
      'half an epoch',
      ['network = "mainnet"', API, 'confidence = 1.5'],
      /chain\.confidence = 1\.5: must be a whole number/,
    ],
    [
      'a confidence beyond finality',
      ['network = "mainnet"', API, 'confidence = 901'],
      /chain\.confidence = 901: must be 900 or less/,
    ],
    [
      'an API that is no text',
      ['network = "mainnet"', 'lotus_api = 1234'],
      /chain\.lotus_api = 1234: must be /,
    ],
    [
      'a password in the address',
      ['network = "mainnet"', 'lotus_api = "http://me:secret@10.0.0.5:1234/rpc/v1"'],
      /chain\.lotus_api = "http:\/\/…@10\.0\.0\.5:1234\/rpc\/v1": must not hold a password: token_file has the token$/,
    ],
    [
      'a token in the address, and no network',
      ['lotus_api = "http://10.0.0.5/rpc?token=secret"'],
      /chain = \{"lotus_api":"http:\/\/10\.0\.0\.5\/rpc\?…".*: needs network/,
    ],
    ['an unknown key', ['network = "mainnet"', API, 'confidense = 3'], /unknown key chain\.confidense/],
  ])('%s', async (_, lines, message) => {
    const failed = await read('[chain]', ...lines).catch(
      (error: unknown) => error as Error & { exitCode: number },
    );
    expect(failed).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) as string });
  });
});
