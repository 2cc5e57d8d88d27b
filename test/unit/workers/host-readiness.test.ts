/** How a worker checks its storage nodes before it accepts tasks. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { MountWrongError } from '../../../src/mounts/guard.js';
import type { Config } from '../../../src/config.js';
import { drain, undrain } from '../../../src/group/drained.js';
import { readMarker, setUpGroupDirectory } from '../../../src/group/marker.js';
import { HostReadiness } from '../../../src/workers/host-readiness.js';
import type { ReadinessCheck } from '../../../src/workers/readiness.js';
import { config } from '../doctor/samples.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let localDir: string;
let node: string;
let drained: (Date | undefined)[];
beforeEach(async () => {
  const root = await temporaryDirectory();
  [localDir, node] = [join(root, 'sealer'), join(root, 'node')];
  await mkdir(localDir);
  await setUpGroupDirectory(localDir, 1, '10.10.4.23');
  drained = [];
});

function newHost(changes: Partial<Config> = {}, parametersMissing?: ReadinessCheck): HostReadiness {
  return new HostReadiness({
    config: {
      ...config({ pools: [[1, 'P1', 'P5', 'P6']] }),
      localDir,
      storageNodes: [node],
      allowSystemDisk: true,
      ...changes,
    },
    namespace: 'default',
    parametersMissing: parametersMissing ?? (() => Promise.resolve(undefined)),
    onChange: () => undefined,
    onDrained: (since) => void drained.push(since),
  });
}

describe('a storage node', () => {
  test('beside local_dir is in order: P5 and P6 are served', async () => {
    await mkdir(node);
    const { readiness, checkNode } = newHost();
    await readiness.refresh();
    await checkNode(node);
    expect((['P1', 'P5', 'P6'] as const).map((phase) => readiness.isReady(phase))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('that is the subdirectory of the group: P5 and P6 are not served, and the reason is known', async () => {
    await symlink(join(localDir, 'nfs/10.10.4.23'), node);
    const host = newHost();
    const { readiness, checkNode } = host;
    await readiness.refresh();
    expect((['P1', 'P5', 'P6'] as const).map((phase) => readiness.isReady(phase))).toEqual([
      true,
      false,
      false,
    ]);
    const reason = `${node} is ${join(localDir, 'nfs/10.10.4.23')}: a storage node must be apart`;
    expect(host.obstacles.map((one) => one.reason).join()).toContain(reason);
    await expect(checkNode(node)).rejects.toThrow(MountWrongError);
  });

  test('whose sealed is a symbolic link: the same', async () => {
    await mkdir(node);
    await mkdir(`${node}-2`);
    await symlink(`${node}-2`, join(node, 'sealed'));
    const host = newHost();
    await host.readiness.refresh();
    expect(host.readiness.isReady('P5')).toBe(false);
    expect(host.obstacles.map(({ reason }) => reason).join()).toContain(
      `${join(node, 'sealed')} is a symbolic link`,
    );
  });
});

describe('proof parameters', () => {
  test('are looked at once, and again when P4 has failed for them: until they are in order it is not served', async () => {
    let reason: string | undefined;
    const look = vi.fn(() => Promise.resolve(reason));
    const { pools } = config({ pools: [[1, 'P4']] });
    const { readiness, parametersFailed } = newHost({ pools }, look);
    for (let i = 0; i < 3; i++) await readiness.refresh();
    expect([readiness.isReady('P4'), look.mock.calls.length]).toEqual([true, 1]);

    reason = 'x.params is damaged';
    await readiness.refresh();
    expect(readiness.isReady('P4')).toBe(true);
    parametersFailed();
    await vi.waitUntil(() => !readiness.isReady('P4'));
    expect(readiness.obstacles.map((one) => one.reason)).toEqual([reason]);

    reason = undefined;
    await readiness.refresh();
    expect(readiness.isReady('P4')).toBe(true);
  });
});

describe('a host', () => {
  test('is drained before it is ready, until it no longer is, also for its next worker', async () => {
    await mkdir(node);
    const { subdirectory } = await readMarker(localDir);
    const group = { root: localDir, subdirectory };
    const { ip, size, pools } = { ...config({ pools: [[1, 'P1', 'P5', 'P6']] }) };
    await drain(group, { ip, size, pools });
    const { readiness } = newHost();
    await readiness.refresh();
    expect([drained[0], readiness.isReady('P1')]).toEqual([expect.any(Date), true]);
    await newHost().readiness.refresh();
    expect(drained[1]).toEqual(drained[0]);
    expect(await undrain(group, { ip, size, pools })).toBe(true);
    await readiness.refresh();
    expect(drained).toStrictEqual([drained[0], drained[0], undefined]);
  });

  test('needs the directory of one of its groups', async () => {
    await mkdir(node);
    const [both, other] = [newHost({ groups: [2, 1] }), newHost({ groups: [2] })];
    for (const { readiness } of [both, other]) await readiness.refresh();
    expect([both.obstacles, both.readiness.isReady('P1')]).toEqual([[], true]);
    expect(other.readiness.isReady('P1')).toBe(false);
    expect(other.obstacles[0]?.reason).toBe(`${localDir} belongs to group 1, not to group 2`);
  });

  test('without storage-nodes serves neither P5 nor P6', () => {
    expect(newHost({ storageNodes: [] }).obstacles[0]).toEqual({
      phases: ['P5', 'P6'],
      reason: 'config.toml names no storage-nodes',
    });
  });
});
