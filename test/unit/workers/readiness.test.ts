import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { PhaseId } from '../../../src/phases.js';
import { checkWritable, GroupMount, setUpGroupDirectory } from '../../../src/group/marker.js';
import { nodeReadinessChecks } from '../../../src/workers/nodes.js';
import { Readiness } from '../../../src/workers/readiness.js';
import { statementOf } from '../../../src/host-statement.js';
import { Scratch } from '../../../src/group/scratch.js';
import { MountGuard } from '../../../src/mounts/guard.js';
import { MountHungError } from '../../../src/mounts/mounts.js';
import { hangMount } from '../../helpers/fifo.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const checkNode = (node: string): Promise<void> => new MountGuard(node, { allowSystemDisk: true }).check();

const ALL: PhaseId[] = ['P1', 'P2', 'P5', 'P6'];
let changes: number;
/** The statement of a host, without its times. */
const said = (readiness: Readiness): string =>
  statementOf({ configured: ALL, obstacles: readiness.obstacles }).replace(/ \(since \d\d:\d\dZ\)/g, '');
const onChange = (): void => void (changes += 1);
beforeEach(() => {
  changes = 0;
});

describe('readiness', () => {
  test('is false for a checked phase before the first check has finished', () => {
    const readiness = new Readiness(
      { a: { phases: ['P1'], check: () => Promise.resolve(undefined) } },
      onChange,
    );
    expect(readiness.isReady('P1')).toBe(false);
    expect(readiness.isReady('P2')).toBe(true);
  });

  test('knows the reason, and since when', async () => {
    let reason: string | undefined = 'not there';
    const check = () => Promise.resolve(reason);
    const readiness = new Readiness({ 'the thing': { phases: ['P1', 'P2'], check } }, onChange);
    expect(said(readiness)).toBe('serves P5 P6; not P1 P2: the thing: not checked yet');
    const since: (Date | undefined)[] = [];
    for (const now of ['not there', 'not there', undefined, undefined, 'gone']) {
      reason = now;
      await readiness.refresh();
      expect(readiness.isReady('P1')).toBe(now === undefined);
      expect(said(readiness)).toBe(now ? `serves P5 P6; not P1 P2: ${now}` : 'serves P1 P2 P5 P6');
      since.push(readiness.obstacles[0]?.since);
    }
    expect(since[1]).toBe(since[0]);
    expect(since[4]).not.toBe(since[0]);
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
    const readiness = new Readiness({ a: { phases: ['P1'], check } }, onChange);
    await readiness.refresh();
    expect(said(readiness)).toBe('serves P2 P5 P6; not P1: not mounted');
  });
});

describe('a local_dir that hangs', () => {
  test('is named, and nothing is served until it answers', async () => {
    const root = await temporaryDirectory();
    await setUpGroupDirectory(root, 1, '10.10.4.23');
    const mount = new GroupMount(new MountGuard(root, { allowSystemDisk: true }), 'default');
    const check = () => mount.open(1).then(() => undefined);
    const readiness = new Readiness({ 'the directory of the group': { phases: ALL, check } }, onChange);
    await readiness.refresh();
    const comeBack = await hangMount(root);
    for (let i = 0; i < 3; i++) await readiness.refresh();
    expect(ALL.some((phase) => readiness.isReady(phase))).toBe(false);
    expect(said(readiness)).toMatch(
      new RegExp(`^serves nothing; not P1 P2 P5 P6: ${root} is hung: no answer since 2\\S+Z$`),
    );
    await expect(new Scratch('2KiB').measure({ root, subdirectory: '10.10.4.23' })).rejects.toThrow(
      MountHungError,
    );
    // A worker may start before its mount answers.
    await checkWritable(root);
    await comeBack();
    await readiness.refresh();
    expect(ALL.every((phase) => readiness.isReady(phase))).toBe(true);
    expect(said(readiness)).toBe('serves P1 P2 P5 P6');
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
    const readiness = new Readiness(nodeReadinessChecks([node], checkNode, ALL), onChange);
    const comeBack = await hangMount(node);
    for (let i = 0; i < 2; i++) await readiness.refresh();
    expect(ALL.filter((phase) => readiness.isReady(phase))).toEqual(['P1', 'P2']);
    expect(said(readiness)).toContain(`serves P1 P2; not P5 P6: ${node} is hung: no answer since `);
    await comeBack();
    await readiness.refresh();
    expect(ALL.every((phase) => readiness.isReady(phase))).toBe(true);
  });

  test('while another answers is named, and all phases are served', async () => {
    const [node = '', other = ''] = nodes;
    const readiness = new Readiness(nodeReadinessChecks(nodes, checkNode, ALL), onChange);
    const comeBack = await hangMount(node);
    for (let i = 0; i < 2; i++) await readiness.refresh();
    expect(ALL.every((phase) => readiness.isReady(phase))).toBe(true);
    expect(said(readiness)).toMatch(
      new RegExp(`^serves P1 P2 P5 P6; ${node} is hung: no answer since \\S+$`),
    );
    const otherBack = await hangMount(other);
    await readiness.refresh();
    expect(ALL.filter((phase) => readiness.isReady(phase))).toEqual(['P1', 'P2']);
    expect(said(readiness)).toContain('serves P1 P2; not P5 P6: no storage node is in order; ');
    await otherBack();
    await comeBack();
    await readiness.refresh();
    expect(said(readiness)).toBe('serves P1 P2 P5 P6');
  });

  test('is not checked on a host that serves neither P5 nor P6', () => {
    expect(nodeReadinessChecks(nodes, checkNode, ['P1', 'P2'])).toEqual({});
  });

  test('that does not exist is named', async () => {
    const readiness = new Readiness(nodeReadinessChecks(['/nowhere/10.10.4.23'], checkNode, ALL), onChange);
    await readiness.refresh();
    expect(ALL.filter((phase) => readiness.isReady(phase))).toEqual(['P1', 'P2']);
    expect(said(readiness)).toBe('serves P1 P2; not P5 P6: /nowhere/10.10.4.23 is not there: is it mounted?');
  });
});
