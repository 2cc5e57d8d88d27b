import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { PhaseId } from '../../../src/phases.js';
import type { Log } from '../../../src/telemetry.js';
import { checkWritable, GroupMount, setUpGroupDirectory } from '../../../src/group/marker.js';
import { nodeReadinessChecks } from '../../../src/workers/nodes.js';
import { Readiness } from '../../../src/workers/readiness.js';
import { Scratch } from '../../../src/group/scratch.js';
import { MountGuard } from '../../../src/mounts/guard.js';
import { MountHungError } from '../../../src/mounts/mounts.js';
import { hangMount } from '../../helpers/fifo.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const checkNode = (node: string): Promise<void> => new MountGuard(node, { allowSystemDisk: true }).check();

const ALL: PhaseId[] = ['P1', 'P2', 'P5', 'P6'];
let logged: string[];
let log: Log;
let changes: number;
const onChange = (): void => void (changes += 1);
beforeEach(() => {
  logged = [];
  changes = 0;
  log = {
    info: (text: string) => void logged.push(`INFO ${text}`),
    warn: (text: string) => void logged.push(`WARN ${text}`),
  };
});

describe('readiness', () => {
  test('is false for a checked phase before the first check has finished', () => {
    const readiness = new Readiness(
      { a: { phases: ['P1'], check: () => Promise.resolve(undefined) } },
      log,
      onChange,
    );
    expect(readiness.isReady('P1')).toBe(false);
    expect(readiness.isReady('P2')).toBe(true);
  });

  test('logs each change once', async () => {
    let reason: string | undefined = 'not there';
    const check = () => Promise.resolve(reason);
    const readiness = new Readiness({ 'the thing': { phases: ['P1', 'P2'], check } }, log, onChange);
    for (const now of ['not there', 'not there', undefined, undefined, 'gone']) {
      reason = now;
      await readiness.refresh();
      expect(readiness.isReady('P1')).toBe(now === undefined);
    }
    expect(logged).toEqual([
      'WARN P1 P2 not served: not there',
      'INFO P1 P2 served again: the thing: in order',
      'WARN P1 P2 not served: gone',
    ]);
    expect(changes).toBe(5);
  });

  test('does not wait for a check that hangs, nor start it a second time', async () => {
    let calls = 0;
    let answer: (reason: undefined) => void = () => undefined;
    const readiness = new Readiness(
      {
        hangs: { phases: ['P1'], check: () => ((calls += 1), new Promise((resolve) => (answer = resolve))) },
        answers: { phases: ['P2'], check: () => Promise.resolve(undefined) },
      },
      log,
      onChange,
    );
    const first = readiness.refresh();
    await readiness.refresh();
    expect([readiness.isReady('P1'), readiness.isReady('P2')]).toEqual([false, true]);
    expect(calls).toBe(1);
    answer(undefined);
    await first;
    expect(readiness.isReady('P1')).toBe(true);
  });

  test('uses the error of a check that throws as the reason', async () => {
    const check = () => Promise.reject(new Error('not mounted'));
    const readiness = new Readiness({ a: { phases: ['P1'], check } }, log, onChange);
    await readiness.refresh();
    expect(logged).toEqual(['WARN P1 not served: not mounted']);
  });
});

describe('a local_dir that hangs', () => {
  test('is logged once with its name, and nothing is served until it answers', async () => {
    const root = await temporaryDirectory();
    await setUpGroupDirectory(root, 1, '10.10.4.23');
    const mount = new GroupMount(new MountGuard(root, { allowSystemDisk: true }), 'default');
    const check = () => mount.open(1).then(() => undefined);
    const readiness = new Readiness({ 'the directory of the group': { phases: ALL, check } }, log, onChange);
    await readiness.refresh();
    const comeBack = await hangMount(root);
    for (let i = 0; i < 3; i++) await readiness.refresh();
    expect(ALL.some((phase) => readiness.isReady(phase))).toBe(false);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(
      new RegExp(`^WARN P1 P2 P5 P6 not served: ${root} is hung: no answer since 2\\S+Z$`),
    );
    await expect(new Scratch('2KiB').measure({ root, subdirectory: '10.10.4.23' })).rejects.toThrow(
      MountHungError,
    );
    // A worker may start before its mount answers.
    await checkWritable(root);
    await comeBack();
    await readiness.refresh();
    expect(ALL.every((phase) => readiness.isReady(phase))).toBe(true);
    expect(logged[1]).toBe('INFO P1 P2 P5 P6 served again: the directory of the group: in order');
  });
});

describe('a storage node that hangs', () => {
  let nodes: string[];
  beforeEach(async () => {
    const root = await temporaryDirectory();
    nodes = ['10.10.4.23', '10.10.4.24'].map((name) => join(root, name));
    for (const node of nodes) await mkdir(node);
  });

  test('and is the only one: P5 and P6 are not served', async () => {
    const [node = ''] = nodes;
    const readiness = new Readiness(nodeReadinessChecks([node], checkNode, ALL), log, onChange);
    const comeBack = await hangMount(node);
    for (let i = 0; i < 2; i++) await readiness.refresh();
    expect(ALL.filter((phase) => readiness.isReady(phase))).toEqual(['P1', 'P2']);
    expect(logged).toEqual([
      expect.stringContaining(`WARN P5 P6 not served: ${node} is hung: no answer since `),
    ]);
    await comeBack();
    await readiness.refresh();
    expect(logged[1]).toBe(`INFO P5 P6 served again: storage node ${node}: in order`);
    expect(ALL.every((phase) => readiness.isReady(phase))).toBe(true);
  });

  test('while another answers is logged, and all phases are served', async () => {
    const [node = '', other = ''] = nodes;
    const readiness = new Readiness(nodeReadinessChecks(nodes, checkNode, ALL), log, onChange);
    const comeBack = await hangMount(node);
    for (let i = 0; i < 2; i++) await readiness.refresh();
    expect(ALL.every((phase) => readiness.isReady(phase))).toBe(true);
    expect(logged).toEqual([
      expect.stringMatching(new RegExp(`^WARN ${node} is hung: no answer since \\S+$`)),
    ]);
    const otherBack = await hangMount(other);
    await readiness.refresh();
    expect(ALL.filter((phase) => readiness.isReady(phase))).toEqual(['P1', 'P2']);
    expect(logged).toContain('WARN P5 P6 not served: no storage node is in order');
    await otherBack();
    await comeBack();
    await readiness.refresh();
    expect(logged.slice(-3).sort()).toEqual([
      'INFO P5 P6 served again: storage nodes: in order',
      `INFO storage node ${node}: in order`,
      `INFO storage node ${other}: in order`,
    ]);
  });

  test('is not checked on a host that serves neither P5 nor P6', () => {
    expect(nodeReadinessChecks(nodes, checkNode, ['P1', 'P2'])).toEqual({});
  });

  test('that does not exist is logged with its name', async () => {
    const readiness = new Readiness(
      nodeReadinessChecks(['/nowhere/10.10.4.23'], checkNode, ALL),
      log,
      onChange,
    );
    await readiness.refresh();
    expect(ALL.filter((phase) => readiness.isReady(phase))).toEqual(['P1', 'P2']);
    expect(logged).toEqual(['WARN P5 P6 not served: /nowhere/10.10.4.23 is not there: is it mounted?']);
  });
});
