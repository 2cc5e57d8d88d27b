/** What `sealflow verify` prints for people. */
import { join } from 'node:path';
import { bytes } from '../units.js';
import { nodeName } from '../paths.js';
import type { StorageNode } from './nodes.js';
import type { CheckResult, ReadProgress, SectorReport } from './report.js';
import type { UnknownFiles } from './unknown-files.js';
import type { Tally } from './tally.js';

/**
 * A line for a sector, and one for each of its bad checks.
 * @param several whether there are several nodes, so that each line must name its own
 */
export function renderSector(report: SectorReport, several: boolean): string[] {
  const { sector, size, node, result, checks, why } = report;
  const what = [sector, size, several && node !== undefined ? `on ${node}` : ''].filter(Boolean).join(' ');
  if (result === 'good') return [`ok ${what}, ${checks.length} checks, ${bytes(report.bytes)} read`];
  // Two checks of one file may find the same.
  const bad = [...new Set(checks.filter(({ ok }) => !ok).map((check) => `  ${renderCheck(check)}`))];
  if (result === 'not checked') return [`NOT CHECKED ${what}: ${why}`, ...bad];
  // It is nowhere: there is one check, and a line is enough.
  if (node === undefined) return [`WRONG ${what}: ${checks.map(({ found }) => found).join('; ')}`];
  return [`WRONG ${what}`, ...bad];
}

const renderCheck = ({ name, found }: CheckResult): string =>
  found.includes(name) ? found : `${name}: ${found}`;

/** `12 of 200 sectors, 1 wrong; t01000/13 38 %, 180.3 MiB/s` */
export function renderProgress(
  tally: Tally,
  running: Iterable<ReadProgress>,
  bytesPerSecond: number,
): string {
  const { done, total, wrong, notChecked } = tally;
  const counts = [
    `${done} of ${total} sectors`,
    wrong && `${wrong} wrong`,
    notChecked && `${notChecked} not checked`,
  ];
  const engines = [...running].map(
    ({ sector, bytes: read, total: all }) => `${sector} ${all > 0 ? Math.floor((100 * read) / all) : 100} %`,
  );
  const rate = bytesPerSecond > 0 ? [`${bytes(bytesPerSecond)}/s`] : [];
  const now = [...engines, ...rate].join(', ');
  return `${counts.filter(Boolean).join(', ')}${now && `; ${now}`}`;
}

/** What lies on a node beside its sectors. */
export const renderUnknownFiles = (
  node: string,
  { noReceipt, unfinished, noName }: UnknownFiles,
): string[] => [
  ...noReceipt.map((path) => `${join(node, path)}: no receipt: not sealed by sealflow, not checked`),
  ...unfinished.map(
    (path) =>
      `${join(node, path)}: copy without a receipt here: P5 is at work, or it waits for its proof; P6 or an abort removes it. If its sector is sealed elsewhere, it was left over and may be deleted`,
  ),
  ...noName.map((path) => `${join(node, path)}: no receipt's name, not looked at`),
];

/** Which nodes have sectors that were stored under another name, and which could not be looked at. */
export const renderNodes = (nodes: readonly StorageNode[], { moved }: Tally): string[] => [
  ...[...moved].flatMap(([node, names]) =>
    [...names].map(
      ([name, count]) =>
        `${node}: ${count} ${count === 1 ? 'receipt names' : 'receipts name'} the storage node ${name}, not ${nodeName(node)}: was the disk moved?`,
    ),
  ),
  ...nodes.flatMap(({ directory, problem }) => (problem ? [`NOT CHECKED ${directory}: ${problem}`] : [])),
];

/** `200 sectors: 197 good, 3 wrong` */
export function renderSummary(tally: Tally, noReceipt: number): string {
  const { total, done, good, wrong, notChecked } = tally;
  const sectors = `${total} ${total === 1 ? 'sector' : 'sectors'}`;
  const counts = [`${good} good`, `${wrong} wrong`, ...(notChecked > 0 ? [`${notChecked} not checked`] : [])];
  const head = done < total ? `stopped after ${done} of ${sectors}` : sectors;
  const others = noReceipt > 0 ? `; ${noReceipt} without a receipt` : '';
  return `${head}: ${counts.join(', ')}${others}`;
}
