/** `start t01000 --count n` without a chain; with one: chain.test.ts. */
import { beforeAll, expect, test, vi } from 'vitest';
import { startCount } from '../../src/cli/start-count.js';
import { startSector } from '../../src/temporal/ask/start-sector.js';
import { sectorName } from '../../src/sector.js';
import { Cluster } from '../helpers/cluster.js';
import { command } from '../helpers/in-process.js';
import { expectForms } from '../helpers/json-forms.js';
import { startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const TICKET = 'ab'.repeat(32);
let cluster: Cluster;
/** Nobody serves it: sectors wait, and cost nothing. */
let place: { number: number; size: '2KiB' };
let miner: string;

beforeAll(async () => {
  cluster = await Cluster.join();
  place = { number: (await cluster.lastingGroup()).number, size: '2KiB' };
  miner = cluster.newSector().split('/')[0] ?? '';
  return () => cluster.end();
});

const start = (target: string, ...args: string[]) => cluster.sealflow('start', target, ...options(), ...args);
const options = () => ['--group', String(place.number), '--size', place.size, '--force'];

test('it takes the lowest numbers that no workflow has or had, and says that no chain was asked', async () => {
  for (const number of [1, 3]) await startAt(`${miner}/${number}`);
  await cluster.handle(`${miner}/3`).terminate();
  const { code, stdout, stderr } = await start(miner, '--count', '3', '--ticket', TICKET);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    ...[0, 2, 4].map((number) => `${miner}/${number} started (workflow seal-${miner}-${number})`),
    `3 started: ${miner}/0 ${miner}/2 ${miner}/4; these numbers were free here only: no orchestrator watches the chain`,
    '',
  ]);
  // The server decides, whatever it has listed.
  await expect(startAt(`${miner}/3`, true)).rejects.toThrow('is being sealed or is already sealed');
});

test('from a number on, as JSON', async () => {
  await startAt(`${miner}/501`);
  const end = await start(`${miner}/500`, '--count', '2', '--test', '--json');
  expect(expectForms('start', end.stdout)).toEqual([
    { sector: `${miner}/500`, workflowId: `seal-${miner}-500` },
    { sector: `${miner}/502`, workflowId: `seal-${miner}-502` },
  ]);
  expect(end.stderr).toBe(
    `sealflow: 2 started: ${miner}/500 ${miner}/502; these numbers were free here only: no chain knows test sectors\n`,
  );
});

test('several at once share the numbers, and none fails', async () => {
  const taken: number[] = [];
  const one = async (): Promise<void> => {
    const from = { miner: miner.slice(2), number: 1000 };
    await startCount(cluster.client, { from, count: 5 }, false, async (sector) => {
      await startAt(sectorName(sector), true);
      taken.push(sector.number);
    });
  };
  await Promise.all([one(), one(), one()]);
  expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, i) => 1000 + i));
});

test.for(['SIGINT', 'SIGTERM'] as const)(
  'what was started is told when it is ended by %s',
  async (signal) => {
    const from = signal === 'SIGINT' ? 100_000 : 200_000;
    const args = ['start', `${miner}/${from}`, '--count', '5000', '--test', '--address', cluster.address];
    const running = startSealflow([...args, ...options()]);
    await running.until(`${miner}/${from + 3} started`);
    running.kill(signal);
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(signal);
    const lines = stdout.trim().split('\n');
    expect(stderr).toMatch(
      new RegExp(
        `^sealflow: stopped when ${lines.length} of 5000 were started: ${miner}/${from}-${from + lines.length - 1}(; perhaps also \\S+)?\n$`,
      ),
    );
  },
);

test.for<[string, string[], RegExp]>([
  ['a miner without a count', ['t01000'], /^sealflow: t01000 is a miner\n {2}--count 20 takes that many /],
  [
    'two miners',
    ['t01000', 't01001', '--count', '2'],
    /^sealflow: --count takes one miner\n {2}like t01000, or /,
  ],
  ['a range', ['t01000/1-5', '--count', '2'], /^sealflow: --count takes one miner\n/],
  ['a count of nothing', ['t01000', '--count', '0'], /--count <n>.*It must be a whole number above 0\.\n/],
  ['too many', ['t01000', '--count', '100001'], /--count <n>.*It must be at most 100000\.\n/],
  ['a miner that no chain has', ['t09223372036854775808', '--count', '2'], /No chain has an actor ID above /],
])('%s is refused', async ([, args, says]) => {
  const { code, stdout, stderr } = await command(['start', ...args, ...options(), '--test']);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(says);
});

async function startAt(sector: string, isNew = false): Promise<void> {
  const { number: group, size } = place;
  await startSector(cluster.client, { sector, group, size, ticket: TICKET }, isNew);
}
