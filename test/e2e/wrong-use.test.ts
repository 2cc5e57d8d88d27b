/** Wrong use: each mistake has its exit code and its message on stderr, and nothing else is printed. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SECTOR_SIZE_NAMES } from '../../src/phases.js';
import { engineProgram } from '../helpers/engine-program.js';
import { expectRefused } from '../helpers/refused.js';
import { sealflow } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000 });

const SEE_HELP = '(sealflow --help lists the commands)';
const HEX = 'ab'.repeat(32);

test.for([
  ['a command', ['strat', 't01000/1'], ["error: unknown command 'strat'", '(Did you mean start?)']],
  ['an option', ['status', '--jsn'], ["error: unknown option '--jsn'", '(Did you mean --json?)']],
  [
    'a phase',
    ['retry', 't01000/1', '--from', 'P7'],
    ["error: option '--from <phase>' argument 'P7' is invalid. Allowed choices are P1, P2, P3, P4, P5, P6."],
  ],
  [
    'a sector',
    ['start', 'x01000/1', '--group', '1', '--test'],
    [
      "error: command-argument value 'x01000/1' is invalid for argument 'sectors'. " +
        'A sector looks like t01000/7, a range like t01000/1-500.',
    ],
  ],
  [
    'a range',
    ['start', 't01000/5-1', '--group', '1', '--test'],
    [
      "error: command-argument value 't01000/5-1' is invalid for argument 'sectors'. " +
        'The range must be ascending and contain at most 100000 sectors.',
    ],
  ],
  [
    'a size',
    ['start', 't01000/1', '--group', '1', '--size', '2kib', '--test'],
    [
      `error: option '--size <size>' argument '2kib' is invalid. Allowed choices are ${SECTOR_SIZE_NAMES.join(', ')}.`,
    ],
  ],
  [
    'a ticket',
    ['start', 't01000/1', '--group', '1', '--ticket', 'abcd'],
    [
      "error: option '--ticket <hex[@epoch]>' argument 'abcd' is invalid. It must be 32 bytes as 64 hex digits.",
    ],
  ],
  [
    'a seed',
    ['seed', 't01000/1', 'abcd'],
    [
      "error: command-argument value 'abcd' is invalid for argument 'hex'. It must be 32 bytes as 64 hex digits.",
    ],
  ],
  [
    'a group that is left out or',
    ['start', 't01000/1', '--test'],
    ["error: required option '--group <n>' not specified"],
  ],
] as const)('%s that is wrong is named, and what is right', async ([, args, lines]) => {
  await expectRefused(args, 2, [...lines, SEE_HELP]);
});

test('start without a ticket is refused', async () => {
  const hint = '  for tests, --test uses a random one';
  await expectRefused(['start', 't01000/1', '--group', '1'], 2, ['sealflow: --ticket is missing', hint]);
});

test('one ticket is not accepted for several sectors', async () => {
  await expectRefused(['start', 't01000/1-3', '--group', '1', '--ticket', HEX], 2, [
    'sealflow: one ticket or seed cannot be used for t01000/1 … t01000/3 (3 sectors)',
    '  start them one by one: each sector has its own randomness',
  ]);
});

test('a port that is in use is named', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const directory = await temporaryDirectory();
  const env = { SEALFLOW_ENGINE: await engineProgram(directory) };
  const { code, stderr } = await sealflow(['dev', '--directory', directory, '--port', String(port)], { env });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      `sealflow: port ${port} (Temporal server) is in use: something already listens on 127.0.0.1:${port}\n` +
      `  choose another port, or stop the process that listens there (ss -ltnp 'sport = :${port}' shows it)\n`,
  });
});
