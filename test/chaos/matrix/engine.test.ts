import { test } from 'vitest';
import { cellsOf, MOMENTS } from './cells.js';
import { runCell, testCells, titleOf, useFixture } from './run.js';

const fixture = useFixture(1);

testCells(fixture, 'engine SIGKILL');

// An engine that hangs is found when neither its work nor its CPU time has moved for a limit that is long, scaled too: those
// that wait for it do so together.
const hung = cellsOf('engine SIGSTOP').filter(({ phase }) => phase !== 'P6');
for (const cells of MOMENTS.map((moment) => hung.filter((cell) => cell.moment === moment))) {
  if (cells.length === 0) continue;
  test(cells.map(titleOf).join('; '), async () => {
    await Promise.all(cells.map((cell) => runCell(fixture(), cell)));
  });
}

for (const cell of cellsOf('engine SIGSTOP').filter(({ phase }) => phase === 'P6')) {
  test(titleOf(cell), () => runCell(fixture(), cell));
}
