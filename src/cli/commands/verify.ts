/** `sealflow verify`: checks stored sectors. Needs neither Temporal nor a group's directory. */
import { Command } from 'commander';
import { registerMount } from '../../mounts/mounts.js';
import { scaledTimes } from '../../phases.js';
import type { SectorId } from '../../sector.js';
import { copiesOn, findCopies, openNode, type StorageNode } from '../../verify/nodes.js';
import { unknownFilesOn, type UnknownFiles } from '../../verify/unknown-files.js';
import { Tally } from '../../verify/tally.js';
import { unreadableReason } from '../../verify/unreadable.js';
import { verifyCopies } from '../../verify/verify.js';
import { parsePositive, parseSectors, SECTORS, timeScaleOption } from '../arguments.js';
import { unlessStopped, untilSignal } from '../process.js';
import { requireEngine } from '../engine.js';
import { VerifyScreen } from '../verify-screen.js';
import { whatToVerify, type VerifyArguments } from '../what-to-verify.js';

interface VerifyCommandOptions extends Omit<VerifyArguments, 'sectors'> {
  quick?: boolean;
  jobs: number;
  json?: boolean;
  timeScale?: number;
}

export const verifyCommand = (): Command =>
  new Command('verify')
    .description('check stored sectors using only their receipts and the storage node, without a cluster')
    .argument('[sectors...]', SECTORS, parseSectors)
    .option('--node <dir...>', 'storage nodes to search for the sectors')
    .option('--all [dir...]', 'check every sector of these storage nodes, and list other files')
    .option('--config <file>', 'take storage-nodes and [engine] from this config.toml')
    .option('--quick', 'do not read the large files; check their sizes, the proof, random challenges')
    .option(
      '--jobs <n>',
      'number of sectors to check in parallel; one already reads at full speed',
      parsePositive,
      1,
    )
    .option('--json', 'print JSON')
    .addOption(timeScaleOption())
    .action(async (sectors: SectorId[], options: VerifyCommandOptions) => {
      process.exitCode = (await runVerify(sectors, options)) ? 0 : 1;
    });

/** @returns whether all sectors and nodes are good */
async function runVerify(
  given: readonly SectorId[],
  { quick = false, jobs, json = false, timeScale = 1, ...what }: VerifyCommandOptions,
): Promise<boolean> {
  const { sectors, nodes: directories, engine: config } = whatToVerify({ sectors: given, ...what });
  const engine = await requireEngine(config);
  const { mountQuick, mountSlow } = scaledTimes(timeScale);
  for (const node of directories) registerMount(node, { quickMs: mountQuick, slowMs: mountSlow });
  const nodes = await Promise.all(directories.map(openNode));
  const { copies, missing } = sectors
    ? findCopies(nodes, sectors, quick)
    : { copies: copiesOn(nodes), missing: [] };

  const tally = new Tally(copies.length + missing.length);
  const screen = new VerifyScreen(tally, json, nodes.length > 1);
  const signal = untilSignal();
  for (const report of missing) screen.report(report);
  const options = { engine, quick, jobs, pollEveryMs: mountQuick, signal, onProgress: screen.progress };
  await unlessStopped(signal, async () => {
    for await (const report of verifyCopies(copies, options)) screen.report(report);
  });
  const found = sectors || signal.aborted ? new Map<string, UnknownFiles>() : await findUnknownFiles(nodes);
  screen.end(nodes, found);
  return tally.allGood && nodes.every(({ problem }) => problem === undefined);
}

/** Files beside the sectors of each readable node, by the node's directory. */
async function findUnknownFiles(nodes: readonly StorageNode[]): Promise<Map<string, UnknownFiles>> {
  const found = new Map<string, UnknownFiles>();
  for (const node of nodes.filter(({ problem }) => problem === undefined)) {
    try {
      found.set(node.directory, await unknownFilesOn(node.directory));
    } catch (error) {
      node.problem = unreadableReason(error);
      if (node.problem === undefined) throw error;
    }
  }
  return found;
}
