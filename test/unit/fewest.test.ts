/** The choice of what the short form of the chaos tests runs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fewest } from '../chaos/fewest.js';

interface Cell {
  fault: number;
  phases: readonly number[];
}
const small = fc.nat({ max: 3 });
const cells = fc.array(fc.record<Cell>({ fault: small, phases: fc.uniqueArray(small, { maxLength: 3 }) }), {
  maxLength: 7,
});

const valuesOf = (some: readonly Cell[]) => [
  new Set(some.map(({ fault }) => fault)),
  new Set(some.flatMap(({ phases }) => phases)),
];
const subsets = (all: readonly Cell[]): Cell[][] =>
  Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_cell, i) => bits & (1 << i)));

describe('the fewest cells', () => {
  test('have every value, and no smaller choice has', () => {
    fc.assert(
      fc.property(cells, (all) => {
        const chosen = fewest(all, ['fault', 'phases']);
        expect(valuesOf(chosen)).toEqual(valuesOf(all));
        for (const other of subsets(all))
          if (other.length < chosen.length) expect(valuesOf(other)).not.toEqual(valuesOf(all));
      }),
    );
  });

  test('are the first of equally few, in their order', () => {
    const table = [1, 2].flatMap((fault) => ['a', 'b'].map((phase) => ({ fault, phase })));
    expect(fewest(table, ['fault', 'phase'])).toEqual([
      { fault: 1, phase: 'a' },
      { fault: 2, phase: 'b' },
    ]);
    expect(fewest(table, ['fault'])).toEqual([
      { fault: 1, phase: 'a' },
      { fault: 2, phase: 'a' },
    ]);
  });

  test('of none are none', () => {
    expect(fewest([], [])).toEqual([]);
  });
});
