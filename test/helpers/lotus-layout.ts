/**
 * What lotus leaves of a finalized sector on its storage path, copied here so that ours is compared with facts and not with our own
 * code. Sources: rust-fil-proofs 87348a74 `storage-proofs-porep/src/stacked/vanilla/clear_files.rs` (what `ClearCache` keeps), lotus
 * b835fab7 `storage/sealer/tarutil/systar.go` (the most bytes that it fetches of each cache file).
 */
import type { SectorSize } from '../../src/phases.js';

const KB = 1024;
const MB = 1_000_000;

const trees = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `sc-02-data-tree-r-last-${i}.dat`);

export const LOTUS_LAYOUT: Readonly<Record<SectorSize, { sealedBytes: number; treeRLast: string[] }>> = {
  '2KiB': { sealedBytes: 2_048, treeRLast: ['sc-02-data-tree-r-last.dat'] },
  '8MiB': { sealedBytes: 8_388_608, treeRLast: ['sc-02-data-tree-r-last.dat'] },
  '512MiB': { sealedBytes: 536_870_912, treeRLast: ['sc-02-data-tree-r-last.dat'] },
  '32GiB': { sealedBytes: 34_359_738_368, treeRLast: trees(8) },
  '64GiB': { sealedBytes: 68_719_476_736, treeRLast: trees(16) },
};

/** The most that a cache file may have, in bytes. */
export const LOTUS_MOST_BYTES = { p_aux: 64, t_aux: 10 * KB, treeRLast: 10 * MB };

/** Names of a sector's files below a storage path (lotus `storiface.SectorName`), sorted; as a rule of sector 7 of miner t01000. */
export const lotusFiles = (size: SectorSize, name = 's-t01000-7'): string[] =>
  [
    `sealed/${name}`,
    ...['p_aux', 't_aux', ...LOTUS_LAYOUT[size].treeRLast].map((file) => `cache/${name}/${file}`),
  ].sort();
