/** A claim that is not in force changes nothing, whichever method is called. */
import { lstat, mkdir, readdir, readlink, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Claim, EndedClaim, type Claimant } from '../../../src/sector-directory/claim.js';
import { claimEpoch, endEpoch } from '../../../src/sector-directory/changes/claim-epoch.js';
import type { Job } from '../../../src/engines/protocol.js';
import type { SealInput } from '../../../src/contract.js';
import { groupDirectories, sectorDir, type Attempt } from '../../../src/paths.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HOST = '10.0.0.1';
const sector = { miner: '1000', number: 7 };
let claimant: Claimant;
let directory: string;
let claim: Claim;

beforeEach(async () => {
  const group = { root: await temporaryDirectory(), subdirectory: '10.10.4.23' };
  for (const path of groupDirectories(group)) await mkdir(path);
  claimant = { group, sector, owner: 'run-a#1', host: HOST, knownEpoch: 0 };
  directory = sectorDir(group, sector);
  await mkdir(directory);
  claim = await Claim.take(claimant);
  await claim.writeSectorFile({ ticket: 'ours' } as unknown as SealInput);
  for (const number of [1, 2]) {
    const made = await claim.makeAttempt({ epoch: 1, phase: 'P2', number }, { v: 1 } as Job);
    await writeFile(join(made?.directory ?? '', 'sealed'), 'a replica');
  }
});

const attempt = (number: number): Attempt => {
  const at = `1/P2-${number}`;
  return { epoch: 1, phase: 'P2', number, at, directory: join(directory, at) };
};

/** All names below the group's directory, with the stats that a change would alter. */
async function everything(path = claimant.group.root): Promise<string[]> {
  const found = await Promise.all(
    (await readdir(path)).map(async (name) => {
      const child = join(path, name);
      const { ino, size, mtimeMs, nlink } = await lstat(child);
      const stat = await lstat(child);
      const inside = stat.isDirectory() ? await everything(child) : [];
      return [
        `${child} ${ino} ${size} ${mtimeMs} ${nlink} ${stat.isSymbolicLink() ? await readlink(child) : ''}`,
        ...inside,
      ];
    }),
  );
  return found.flat();
}

const ACTS: Record<string, () => Promise<unknown>> = {
  'write sector.json': () => claim.writeSectorFile({ ticket: 'another' } as unknown as SealInput),
  'write a note': () => claim.writeNote('clean.json', {}),
  'make an attempt': () => claim.makeAttempt({ epoch: 1, phase: 'P2', number: 3 }, { v: 1 } as Job),
  'invalidate a result': () => claim.invalidate('1/P2-1'),
  'free what was superseded': () => claim.freeSuperseded(attempt(2)),
  'free what came before': () => claim.freeBefore(attempt(2)),
  'link the replica': () => claim.linkReplica(attempt(1)),
  'delete files': () => claim.deleteFiles([join(directory, '1/P2-1/sealed')]),
  'rename the sector away': () => claim.renameAway(),
};

const ENDS: Record<string, () => Promise<unknown>> = {
  'another run has overtaken': () => claimEpoch(directory, 'run-b#1', HOST),
  'has a later claim of the same run behind it': () => claimEpoch(directory, 'run-a#2', HOST),
  'was stopped': () => endEpoch(directory, 'run-a#1', 'cancelled', HOST),
};

describe.each(Object.entries(ENDS))('a claim that %s', (_, end) => {
  test.each(Object.entries(ACTS))('does not %s', async (_, act) => {
    await end();
    const before = await everything();
    await expect(act()).rejects.toMatchObject({
      type: expect.stringMatching(/^(Overtaken|ClaimedByOther)$/) as string,
    });
    expect(await everything()).toEqual(before);
  });
});

test('a claim whose sector was deleted and begun again does not take it from the run that has begun it', async () => {
  await rename(directory, `${directory}.away`);
  await mkdir(directory);
  await claimEpoch(directory, 'run-b#1', HOST);
  const before = await everything();
  await expect(claim.writeNote('clean.json', {})).rejects.toMatchObject({ type: 'ClaimedByOther' });
  await expect(claim.renameAway()).rejects.toMatchObject({ type: 'ClaimedByOther' });
  expect(await everything()).toEqual(before);
});

// Otherwise the tests above would pass with acts that do nothing.
test.each(Object.entries(ACTS))('a claim in force does %s', async (_, act) => {
  const before = await everything();
  await act();
  expect(await everything()).not.toEqual(before);
});

describe('an ended claim', () => {
  test('of a run that another has overtaken is refused and changes nothing', async () => {
    await claimEpoch(directory, 'run-b#1', HOST);
    const before = await everything();
    await expect(EndedClaim.take(claimant, 'aborted')).rejects.toMatchObject({ type: 'ClaimedByOther' });
    expect(await everything()).toEqual(before);
  });

  test('does not rename away what another run has claimed since', async () => {
    const ended = await EndedClaim.take(claimant, 'aborted');
    await claimEpoch(directory, 'run-b#1', HOST);
    const before = await everything();
    await expect(ended.renameAway()).rejects.toMatchObject({ type: 'ClaimedByOther' });
    expect(await everything()).toEqual(before);
  });

  test('renames the sector away', async () => {
    const ended = await EndedClaim.take(claimant, 'aborted');
    await ended.renameAway();
    expect(await readdir(join(directory, '..'))).toEqual([expect.stringMatching(/^\.gone-s-t01000-7-/)]);
    await ended.renameAway();
  });
});
