/** Output of `sealflow verify`: results on stdout, and on a terminal a progress line on stderr. */
import type { StorageNode } from '../verify/nodes.js';
import {
  renderNodes,
  renderProgress,
  renderSector,
  renderUnknownFiles,
  renderSummary,
} from '../verify/render.js';
import type { ReadProgress, SectorReport } from '../verify/report.js';
import type { UnknownFiles } from '../verify/unknown-files.js';
import type { Tally } from '../verify/tally.js';
import { print, printJson } from './process.js';
import { statusLine } from './status-line.js';

export class VerifyScreen {
  private readonly status = statusLine(process.stderr);
  private readonly running = new Map<string, ReadProgress>();
  private readonly began = performance.now();
  private bytes = 0;

  /** @param several whether there is more than one node, so that each line must name its node */
  constructor(
    private readonly tally: Tally,
    private readonly json: boolean,
    private readonly several: boolean,
  ) {}

  progress = (progress: ReadProgress): void => {
    this.bytes += progress.bytes - (this.running.get(progress.sector)?.bytes ?? 0);
    this.running.set(progress.sector, progress);
    this.showStatus();
  };

  report(report: SectorReport): void {
    this.tally.add(report);
    this.running.delete(report.sector);
    this.print(report, () => renderSector(report, this.several));
    if (this.tally.done < this.tally.total) this.showStatus();
  }

  /** @param found by the node's directory; empty unless whole nodes were checked */
  end(nodes: readonly StorageNode[], found: ReadonlyMap<string, UnknownFiles>): void {
    const { tally } = this;
    const noReceipt = [...found.values()].flatMap((unknownFiles) => unknownFiles.noReceipt).length;
    this.print({ summary: summaryOf(tally, nodes, found) }, () => [
      ...[...found].flatMap(([node, unknownFiles]) => renderUnknownFiles(node, unknownFiles)),
      ...renderNodes(nodes, tally),
      renderSummary(tally, noReceipt),
    ]);
  }

  private showStatus(): void {
    const seconds = (performance.now() - this.began) / 1000;
    this.status.show(renderProgress(this.tally, this.running.values(), this.bytes / seconds));
  }

  private print(value: unknown, lines: () => string[]): void {
    this.status.clear();
    if (this.json) printJson(value);
    else for (const line of lines()) print(line);
  }
}

function summaryOf(tally: Tally, nodes: readonly StorageNode[], found: ReadonlyMap<string, UnknownFiles>) {
  const { total, done, good, wrong, notChecked, moved } = tally;
  return {
    ...{ sectors: total, stopped: done < total, good, wrong, notChecked },
    nodes: nodes.map(({ directory, problem }) => ({
      ...{ node: directory, problem, ...found.get(directory) },
      writtenOn: Object.fromEntries(moved.get(directory) ?? []),
    })),
  };
}
