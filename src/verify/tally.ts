/** What has come of all sectors so far. */
import type { SectorReport } from './report.js';

export class Tally {
  good = 0;
  wrong = 0;
  notChecked = 0;
  /** By the node's directory: the nodes that its receipts name instead, and how many do. */
  readonly moved = new Map<string, Map<string, number>>();

  /** @param total how many sectors are to be checked */
  constructor(readonly total: number) {}

  add({ result, node, writtenOn }: SectorReport): void {
    if (result === 'good') this.good += 1;
    else if (result === 'wrong') this.wrong += 1;
    else this.notChecked += 1;
    if (node === undefined || writtenOn === undefined) return;
    const names = this.moved.get(node) ?? new Map<string, number>();
    this.moved.set(node, names.set(writtenOn, (names.get(writtenOn) ?? 0) + 1));
  }

  get done(): number {
    return this.good + this.wrong + this.notChecked;
  }

  /** Whether every sector was looked at, and found good. */
  get allGood(): boolean {
    return this.good === this.total;
  }
}
