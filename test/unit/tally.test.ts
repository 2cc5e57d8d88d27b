/** The table of `npm run chaos`, which goes into the docs as it is. */
import { expect, test } from 'vitest';
import { sums, table } from '../../scripts/tally.mjs';

const path = (name: string): string => `/home/me/chaos/test/chaos/${name}.test.ts`;
const ran = (name: string, ms: number) => ({ path: path(name), ran: true, ms });

const files = [
  ran('matrix/worker', 60_000),
  ran('damage', 30_000),
  ran('matrix/engine', 150_000),
  ran('real-engine/server', 6_000),
  { path: path('two-views'), ran: false, ms: 0 },
];
const lines = [
  { file: path('damage'), faults: 2 },
  { file: path('damage'), begun: 1 },
  { file: path('damage'), layersAgain: 3 },
  { file: path('matrix/engine'), begun: 2, faults: 2, ended: 1 },
  { file: path('matrix/worker'), begun: 2, sealed: 2, faults: 1, phasesAgain: 4 },
  { file: path('matrix/engine'), sealed: 1, wrong: 1, orphans: 5 },
  { file: path('real-engine/server'), begun: 2, throughP3: 2, faults: 6 },
];

test('is Markdown: a row for each part and one for all', () => {
  const rows = table(sums(files, lines), 3.14).split('\n');
  expect(new Set(rows.slice(0, -1).map(({ length }) => length)).size).toBe(1);
  expect(rows.map((row) => row.replaceAll(/ +/g, ' ').replaceAll(/-{2,}/g, '-'))).toEqual([
    '| part | faults | sealed | lost | wrong | orphans | layers repeated | phases repeated | minutes |',
    '| - | -: | -: | -: | -: | -: | -: | -: | -: |',
    '| damage | 2 | 0 | 1 | 0 | 0 | 3 | 0 | 0.5 |',
    '| matrix | 3 | 3 | 0 | 1 | 5 | 0 | 4 | 3.5 |',
    '| real-engine | 6 | 2 through P3 | 0 | 0 | 0 | 0 | 0 | 0.1 |',
    '| two-views | | | | | | | | skipped |',
    '| all | 11 | 3 + 2 through P3 | 1 | 1 | 5 | 3 | 4 | 3.1 |',
    '',
  ]);
});

test('sums what decides how the run ends', () => {
  expect(sums(files, lines).all).toMatchObject({ faults: 11, lost: 1, wrong: 1, orphans: 5 });
  expect(sums([], []).all).toMatchObject({ faults: 0, lost: 0, wrong: 0, orphans: 0 });
});
