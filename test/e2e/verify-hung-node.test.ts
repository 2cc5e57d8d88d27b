/** `sealflow verify` on a storage node that hangs while an engine reads it: a stopped sshfs. */
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { lacks } from '../helpers/abilities.js';
import { engineRuns } from '../helpers/engine.js';
import { engineProgram } from '../helpers/engine-program.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { groupAt } from '../helpers/refused.js';
import { startSealflow } from '../helpers/sealflow.js';
import { SshServer } from '../helpers/sshfs.js';
import { storeSectors } from '../helpers/stored.js';

vi.setConfig({ testTimeout: 120_000 });

test.skipIf(await lacks('sshfs'))('its sectors are not checked, but those of another node are', async () => {
  const group = await groupAt('127.0.0.1:1');
  await storeSectors(group.node, 2);
  const other = await storeSectors(join(group.root, 'other'), 2, { first: 3 });
  const server = await SshServer.start(group);
  const view = await server.view(group.node, join(group.root, 'view', basename(group.node)), 'uncached');
  const hold = join(group.checkpoints, 's-t01000-1-CHECK.hold');
  await writeFile(hold, 'middle');

  // At this scale a call that takes 1.5 s counts as hung.
  const running = startSealflow(['verify', '--all', view.path, other, '--time-scale', '0.05'], {
    env: { SEALFLOW_ENGINE: await engineProgram(group.root, { FIXTURE_CHECKPOINTS: group.checkpoints }) },
  });
  const held = async () => (await engineRuns(group.checkpoints)).find(({ what }) => what === 'held');
  await eventually(async () => (await held()) !== undefined);
  view.hang();
  // Its engine is blocked in a read, where nothing can end it.
  await rm(hold);
  const { code, stdout, stderr } = await running.ended;
  // Node itself would wait for the blocked threads.
  expect({ code, stderr }).toEqual({ code: 'SIGTERM', stderr: '' });
  const lines = stdout
    .replaceAll(/since \S+Z/g, 'since then')
    .trimEnd()
    .split('\n');
  const hung = `${view.path} is hung: no answer since then`;
  expect(lines).toEqual([
    `NOT CHECKED t01000/1 2KiB on ${view.path}: ${hung}`,
    `NOT CHECKED t01000/2 on ${view.path}: ${hung}`,
    `ok t01000/3 2KiB on ${other}, 7 checks, 4.1 KiB read`,
    `ok t01000/4 2KiB on ${other}, 7 checks, 4.1 KiB read`,
    `NOT CHECKED ${view.path}: ${hung}`,
    '4 sectors: 2 good, 0 wrong, 2 not checked',
  ]);
  view.throwIfCancelled();
  const pid = (await held())?.pid ?? 0;
  await eventually(async () => !(await isAlive(pid)));
});
