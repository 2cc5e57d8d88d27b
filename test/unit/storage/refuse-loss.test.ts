/** The last check before a sector's directory is renamed away; what it finds of files: activities/own-directory.test.ts. */
import { expect, test } from 'vitest';
import { sectorOf } from '../../../src/sector.js';
import { refuseLoss } from '../../../src/storage/refuse-loss.js';

const GROUP = { root: '/local', subdirectory: '10.10.4.23', id: '3f1b8f0a-7d0e-4f6e-9a53-0f2c5d6b7a81' };
const storage = { node: '10.10.4.23', receipt: 'receipts/s-t01000-7.json' };

test('a directory that has lost its journal is not deleted: where it was stored is not known', async () => {
  await expect(refuseLoss(['/mnt/10.10.4.23'], GROUP, sectorOf('t01000/7'), undefined)).rejects.toMatchObject(
    {
      type: 'PassingFault',
      message: expect.stringContaining('has lost its journal') as string,
    },
  );
});

test('nor one that is stored on a node which this host does not have', async () => {
  const refused = refuseLoss(['/mnt/10.10.4.24'], GROUP, sectorOf('t01000/7'), { storage });
  await expect(refused).rejects.toMatchObject({
    type: 'MountMissing',
    message: 'storage node 10.10.4.23 is not in storage-nodes',
  });
});
