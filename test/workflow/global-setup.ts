/** One server and one bundle for all files of test/workflow (`globalSetup` in vitest.config.ts). */
import type { TestProject } from 'vitest/node';
import { startShared } from '../helpers/temporal.js';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, ...shared } = await startShared();
  project.provide('shared', shared);
  return stop;
}
