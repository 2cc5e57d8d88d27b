/** One server and one orchestrator for all test files of a project that leave both alone (`globalSetup` in vitest.config.ts). */
import type { TestProject } from 'vitest/node';
import { OwnCluster } from './own-cluster.js';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await OwnCluster.start();
  project.provide('cluster', { address: cluster.address, directory: cluster.directory });
  return () => cluster.end();
}
