/** Engines that are stopped: found by their worker, as neither their work nor their CPU time moves for the hang limit. */
import { beforeAll, test } from 'vitest';
import { Cluster } from '../../helpers/cluster.js';
import { Bed } from '../bed.js';
import { cellsOf, MOMENTS } from './cells.js';
import { runCell, titleOf } from './run.js';

let bed: Bed;

beforeAll(async () => {
  const cluster = await Cluster.start();
  bed = await Bed.make(cluster);
  return () => cluster.end();
});

// The limit is long, also scaled; those that wait for it do so together.
for (const moment of MOMENTS) {
  const cells = cellsOf('engine SIGSTOP').filter((cell) => cell.moment === moment && cell.phase !== 'P6');
  if (cells.length === 0) continue;
  test(cells.map(titleOf).join('; '), async () => {
    await Promise.all(cells.map((cell) => runCell(bed, cell)));
  });
}

for (const cell of cellsOf('engine SIGSTOP').filter(({ phase }) => phase === 'P6')) {
  test(titleOf(cell), () => runCell(bed, cell));
}
