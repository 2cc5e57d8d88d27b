/** How a worker checks its storage nodes before it accepts tasks. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { MountWrongError } from '../../../src/mounts/guard.js';
import type { Log } from '../../../src/telemetry.js';
import { setUpGroupDirectory } from '../../../src/group/marker.js';
import { HostReadiness } from '../../../src/workers/host-readiness.js';
import { config } from '../doctor/samples.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let localDir: string;
let node: string;
let logged: string[];
beforeEach(async () => {
  const root = await temporaryDirectory();
  [localDir, node] = [join(root, 'sealer'), join(root, 'node')];
  await mkdir(localDir);
  await setUpGroupDirectory(localDir, 1, '10.10.4.23');
  logged = [];
});

function newHost(): HostReadiness {
  const record = (message: string): void => void logged.push(message);
  return new HostReadiness({
    config: {
      ...config({ pools: [[1, 'P1', 'P5', 'P6']] }),
      localDir,
      storageNodes: [node],
      allowSystemDisk: true,
    },
    namespace: 'default',
    parametersMissing: () => Promise.resolve(undefined),
    log: { info: record, warn: record, error: record } as unknown as Log,
    onChange: () => undefined,
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

  test('that is the subdirectory of the group: P5 and P6 are not served, and the reason is logged', async () => {
    await symlink(join(localDir, 'nfs/10.10.4.23'), node);
    const { readiness, checkNode } = newHost();
    await readiness.refresh();
    expect((['P1', 'P5', 'P6'] as const).map((phase) => readiness.isReady(phase))).toEqual([
      true,
      false,
      false,
    ]);
    const reason = `${node} is ${join(localDir, 'nfs/10.10.4.23')}: a storage node must be apart`;
    expect(logged.join('\n')).toContain(reason);
    await expect(checkNode(node)).rejects.toThrow(MountWrongError);
  });

  test('whose sealed is a symbolic link: the same', async () => {
    await mkdir(node);
    await mkdir(`${node}-2`);
    await symlink(`${node}-2`, join(node, 'sealed'));
    const { readiness } = newHost();
    await readiness.refresh();
    expect(readiness.isReady('P5')).toBe(false);
    expect(logged.join('\n')).toContain(`${join(node, 'sealed')} is a symbolic link`);
  });
});
