/** A stored sector is what lotus writes: the same names in the same places, and nothing else. */
import { describe, expect, test } from 'vitest';
import { finalName } from '../../../src/storage/receipt.js';
import { retainedFiles } from '../../../src/paths.js';
import { SECTOR_SIZE_NAMES, SECTOR_SIZES } from '../../../src/phases.js';
import { sectorOf } from '../../../src/sector.js';
import { LOTUS_LAYOUT, lotusFiles } from '../../helpers/lotus-layout.js';
import { filesBelow, readReceipt } from '../../helpers/on-disk.js';
import { createTestHost } from '../../helpers/test-host.js';
import { copyOf, verified } from '../../helpers/verified.js';

const SECTOR = 't01000/7';

describe.each(SECTOR_SIZE_NAMES)('a sector of %s', (size) => {
  test('has the files that lotus keeps, and the replica as many bytes', () => {
    const names = retainedFiles(size).map((name) => finalName(sectorOf(SECTOR), name));
    expect(names.sort()).toEqual(lotusFiles(size));
    expect(SECTOR_SIZES[size]).toBe(LOTUS_LAYOUT[size].sealedBytes);
  });

  test('is stored as lotus stores it, with a receipt beside it, and verifies', async () => {
    const host = await createTestHost();
    host.seal = { ...host.seal, size };
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await host.clean();
    const receipt = await readReceipt(host.node, SECTOR);
    expect(receipt.files.map(({ name }) => name).sort()).toEqual(lotusFiles(size));
    expect(await filesBelow(host.node)).toEqual([...lotusFiles(size), 'receipts/s-t01000-7.json'].sort());
    expect(await verified(copyOf(host.node, SECTOR))).toMatchObject({ sector: SECTOR, result: 'good', size });
  });
});
