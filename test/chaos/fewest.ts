/** Choosing what the short form runs: a pure function, so that it is the same each time. */

/**
 * The fewest of these cells that between them have every value that any cell has, of each aspect; of equally few the first.
 * A cell may have several values of an aspect (a list), or none. For tables of some hundred cells and answers of a few.
 */
export function fewest<Cell extends object>(
  cells: readonly Cell[],
  aspects: readonly (keyof Cell)[],
): Cell[] {
  const valuesOf = (cell: Cell, aspect: keyof Cell): unknown[] => [cell[aspect]].flat();
  const tables = aspects.map((aspect) => ({
    aspect,
    values: new Set(cells.flatMap((cell) => valuesOf(cell, aspect))),
    most: Math.max(0, ...cells.map((cell) => valuesOf(cell, aspect).length)),
  }));
  /** Adds `left` cells behind the `from`th to those that are chosen, so that no value is missing. */
  const complete = (chosen: Cell[], from: number, left: number): Cell[] | undefined => {
    const missing = tables.map(({ aspect, values, most }) => {
      const had = new Set(chosen.flatMap((cell) => valuesOf(cell, aspect)));
      return { count: values.size - had.size, most };
    });
    if (missing.every(({ count }) => count === 0)) return chosen;
    // Without this bound every set of cells would be tried.
    if (missing.some(({ count, most }) => count > left * most)) return undefined;
    for (let i = from; i < cells.length; i++) {
      const found = complete([...chosen, cells[i] as Cell], i + 1, left - 1);
      if (found) return found;
    }
    return undefined;
  };
  for (let n = 0; ; n++) {
    const found = complete([], 0, n);
    if (found) return found;
  }
}
