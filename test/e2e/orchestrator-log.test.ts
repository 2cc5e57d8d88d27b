/** An orchestrator's own log: who it is, and why it ends. */
import { hostname } from 'node:os';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { VERSION } from '../../src/version.js';
import { Cluster } from '../helpers/cluster.js';
import { startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
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
