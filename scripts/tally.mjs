/** The table at the end of `npm run chaos`, in Markdown: what the chaos tests have counted (test/chaos/tally.ts), by part. */
import { existsSync, readFileSync } from 'node:fs';

const FIGURES = 'faults begun ended sealed throughP3 wrong orphans layersAgain phasesAgain'.split(' ');
const HEADS = 'part|faults|sealed|lost|wrong|orphans|layers repeated|phases repeated|minutes'.split('|');

/**
 * Sums by part, in the order of their names, and of all. A directory of test files is one part.
 * @param files that vitest has looked at; those of which no test ran count nothing
 * @param lines of the tally: a file's figures each; what it has not counted is 0
 */
export function sums(files, lines) {
  const parts = [...new Set(files.map(({ path }) => partOf(path)))].sort().map((part) => {
    const own = files.filter(({ path }) => partOf(path) === part);
    const ms = own.reduce((sum, file) => sum + file.ms, 0);
    const figures = total(lines.filter(({ file }) => partOf(file) === part));
    return { part, ran: own.some(({ ran }) => ran), minutes: ms / 60_000, ...figures };
  });
  return { parts, all: total(lines) };
}

/** What the tests have written so far. */
export function readTally(path) {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** @param minutes that all took */
export function table({ parts, all }, minutes) {
  const rows = [...parts, { part: 'all', ran: true, minutes, ...all }].map(cells);
  const widths = HEADS.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i].length)));
  const line = (row) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |\n`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [HEADS, rule, ...rows].map(line).join('');
}

/** `matrix` of `…/test/chaos/matrix/engine.test.ts`. */
const partOf = (path) => path.replace(/^.*\/chaos\//, '').replace(/(\/|\.test\.ts$).*/, '');

function total(lines) {
  const sum = Object.fromEntries(
    FIGURES.map((name) => [name, lines.reduce((n, line) => n + (line[name] ?? 0), 0)]),
  );
  return { ...sum, lost: sum.begun - sum.ended - sum.sealed - sum.throughP3 };
}

function cells({ part, ran, minutes, ...figures }) {
  if (!ran) return [part, ...HEADS.slice(1, -1).map(() => ''), 'skipped'];
  const { faults, lost, wrong, orphans, layersAgain, phasesAgain } = figures;
  const counts = [faults, sealed(figures), lost, wrong, orphans, layersAgain, phasesAgain];
  return [part, ...counts.map(String), minutes.toFixed(1)];
}

/** Sectors of 8 MiB end behind P3, with the real engine. */
function sealed({ sealed: whole, throughP3 }) {
  if (throughP3 === 0) return whole;
  return whole === 0 ? `${throughP3} through P3` : `${whole} + ${throughP3} through P3`;
}
