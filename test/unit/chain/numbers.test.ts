/** Which numbers are free, against sets of numbers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowestFree, rangesOf } from '../../../src/chain/numbers.js';
import type { NumberRange } from '../../../src/contract-chain.js';

const numbersIn = (ranges: readonly NumberRange[]): number[] =>
  ranges.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));

test.each<[number[], number[]]>([
  // The example of go-bitfield.
  [
    [0, 3, 5, 2],
    [0, 1, 2, 8, 9],
  ],
  [[0], []],
  [[], []],
  [[4, 1], [4]],
])('runs %j of a bit field are the numbers %j', (runs, numbers) => {
  expect(numbersIn(rangesOf(runs))).toEqual(numbers);
});

test('the lowest free numbers are those that no allocated one is among', () => {
  const runs = fc.array(fc.nat({ max: 5 }), { maxLength: 12 });
  fc.assert(
    fc.property(runs, fc.nat({ max: 30 }), fc.nat({ max: 20 }), (given, from, count) => {
      const allocated = rangesOf(given);
      const used = new Set(numbersIn(allocated));
      const expected = Array.from({ length: 200 }, (_, i) => from + i).filter((number) => !used.has(number));
      expect(numbersIn(lowestFree(allocated, { from, count }))).toEqual(expected.slice(0, count));
    }),
  );
});

test('where numbers end there are fewer', () => {
  const last = Number.MAX_SAFE_INTEGER;
  expect(lowestFree([], { from: last - 1, count: 5 })).toEqual([{ first: last - 1, count: 2 }]);
  // As a miner has it that has masked all below a number.
  expect(lowestFree(rangesOf([0, 2 ** 60]), { from: 0, count: 5 })).toEqual([]);
});
