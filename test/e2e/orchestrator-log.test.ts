/** An orchestrator's own log: who it is, and why it ends. */
import { hostname } from 'node:os';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { VERSION } from '../../src/version.js';
import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../src/search-attributes.js';
import { setUpNamespace } from '../../src/temporal/embedded/namespace.js';
import { command } from '../helpers/in-process.js';
import { Cluster } from '../helpers/cluster.js';
import { startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('an orchestrator does not begin where a search attribute is missing, as after an upgrade: each sector’s tasks would fail', async () => {
  const { SealDeadline: _new, ...before } = SEARCH_ATTRIBUTES;
  const namespace = { namespace: 'upgraded', retentionDays: 1, searchAttributes: before };
  await setUpNamespace(cluster.client.connection as Connection, namespace);
  const run = () =>
    startSealflow(['orchestrator', '--address', cluster.address], {
      env: { TEMPORAL_NAMESPACE: 'upgraded' },
    });
  const { code, stderr } = await run().ended;
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /sealflow: namespace upgraded is not set up for sealflow: it lacks search attributes\n {2}sealflow setup adds them/,
  );
  const setUp = await command(['setup', '--address', cluster.address], { TEMPORAL_NAMESPACE: 'upgraded' });
  expect(setUp.stdout).toContain('search attributes: SealDeadline\n');
  const begun = run();
  onTestFinished(() => begun.kill('SIGKILL'));
  await begun.until('orchestrator ready');
});

test('an orchestrator logs its version at its start, and the signal that ends it', async () => {
  const orchestrator = startSealflow(['orchestrator', '--address', cluster.address]);
  onTestFinished(() => orchestrator.kill('SIGKILL'));
  await orchestrator.until(`orchestrator ready: sealflow ${VERSION}, ${hostname()}#${orchestrator.pid}\n`);
  orchestrator.kill('SIGTERM');
  const { code, stderr } = await orchestrator.ended;
  expect(code).toBe(0);
  const lines = stderr.trim().split('\n');
  expect(lines.slice(-2).map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'INFO  orchestrator stopping (SIGTERM): sectors go on with another one',
    'INFO  orchestrator stopped',
  ]);
});
