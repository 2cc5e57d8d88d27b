/** The figures that chaos tests have left (test/chaos/tally.ts), summed and as a table. */
import { existsSync, readFileSync } from 'node:fs';

/** @returns sums by name; what nobody has counted is 0 */
export function sums(path) {
  const names = [
    ...['faults', 'begun', 'ended', 'sealed', 'throughP3'],
    ...['wrong', 'orphans', 'layersAgain', 'phasesAgain'],
  ];
  const total = Object.fromEntries(names.map((name) => [name, 0]));
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
  for (const line of lines) for (const [name, n] of Object.entries(JSON.parse(line))) total[name] += n;
  return { ...total, lost: total.begun - total.ended - total.sealed - total.throughP3 };
}

export function table({ faults, sealed, throughP3, lost, wrong, orphans, layersAgain, phasesAgain }) {
  const rows = [
    ['faults tried', faults],
    ['sectors sealed', sealed],
    ['sectors of 8 MiB through P3 (real engine)', throughP3],
    ['sectors lost', lost],
    ['sectors sealed wrong', wrong],
    ['orphans (engines, scratch, parts of copies)', orphans],
    ['work repeated: layers of P1', layersAgain],
    ['work repeated: other phases', phasesAgain],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, n]) => `${name.padEnd(width)}  ${String(n).padStart(6)}\n`).join('');
}
