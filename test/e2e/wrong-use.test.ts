/** Wrong use: each mistake has its exit code and its message on stderr, and nothing else is printed. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SECTOR_SIZE_NAMES } from '../../src/phases.js';
import { engineProgram } from '../helpers/engine-program.js';
import { expectRefused, groupAt } from '../helpers/refused.js';
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
        'A sector looks like t01000/7 or s-t01000-7, a range like t01000/1-500.',
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
    'a range with a seed',
    ['seed', 't01000/1-5', HEX],
    [
      "error: command-argument value 't01000/1-5' is invalid for argument 'sector'. Each sector has a seed of its own, " +
        'from the epoch of its pre-commit: give one sector, or @file with lines like "t01000/7 HEX".',
    ],
  ],
  [
    'a sector that no chain has',
    ['start', 't09223372036854775808/1', '--group', '1', '--test'],
    [
      "error: command-argument value 't09223372036854775808/1' is invalid for argument 'sectors'. " +
        'No chain has an actor ID above 9223372036854775807 (2^63 - 1).',
    ],
  ],
  [
    'a range that is too far up',
    ['start', 't01000/9007199254740990-9007199254740993', '--group', '1', '--test'],
    [
      "error: command-argument value 't01000/9007199254740990-9007199254740993' is invalid for argument 'sectors'. " +
        'sealflow takes sector numbers up to 9007199254740991 (2^53 - 1).',
    ],
  ],
] as const)('%s that is wrong is named, and what is right', async ([, args, lines]) => {
  await expectRefused(args, 2, [...lines, SEE_HELP]);
});

test('start with random values for a chain is refused', async () => {
  await expectRefused(['start', 't01000/1', '--group', '1', '--test', '--chain'], 2, [
    'sealflow: --test takes random values: no chain knows them',
  ]);
});

test('start without a group is refused, if the config does not tell it', async () => {
  await expectRefused(['start', 't01000/1', '--test'], 2, [
    'sealflow: --group is missing',
    '  or --config config.toml, whose group_id and sector_size are taken',
  ]);
  const group = await groupAt('127.0.0.1:1');
  const file = await group.writeConfig(1, { config: { group_id: [1, 2] } });
  await expectRefused(['start', 't01000/1', '--test', '--config', file], 2, [
    'sealflow: --group is missing',
    `  ${file} has several: 1, 2`,
  ]);
});

test('one ticket is not accepted for several miners', async () => {
  await expectRefused(['start', 't01000/1-3', 't01001/1', '--group', '1', '--ticket', HEX], 2, [
    'sealflow: one ticket or seed cannot be that of several miners: t01000, t01001',
    '  start them miner by miner: the chain draws randomness for a miner and an epoch',
  ]);
});

test('a file of seeds is refused with its line if one is wrong', async () => {
  const file = join(await temporaryDirectory(), 'seeds');
  const invalid = (why: string): string =>
    `error: command-argument value '@${file}' is invalid for argument 'sector'. ${why}`;
  for (const [line, why] of [
    ['t01000/2', 'It must be 32 bytes as 64 hex digits.'],
    ['t01000/2-3 ' + HEX, 'A sector looks like t01000/7 or s-t01000-7, a range like t01000/1-500.'],
    ['s-t01000-1 ' + HEX, 'The sector has a line already.'],
    [`t01000/2 ${HEX} more`, 'A line has a sector and its seed, no more.'],
  ]) {
    await writeFile(file, `t01000/1 ${HEX}\n${line}\n`);
    await expectRefused(['seed', `@${file}`], 2, [invalid(`${file}:2: ${line}: ${why}`), SEE_HELP]);
  }
  await writeFile(file, `t01000/1 ${HEX}\n`);
  await expectRefused(['seed', `@${file}`, HEX], 2, [
    'sealflow: the seeds are in the file: give no other one',
  ]);
  await expectRefused(['seed', 't01000/1'], 2, [
    'sealflow: the seed is missing',
    '  sealflow seed t01000/1 HEX',
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
