import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.mjs';

/**
 * Runs vitest projects.
 * @param files parts of paths of test files; none: all
 * @returns how many tests passed, failed, were skipped; of each file whether any of its tests ran, and how long they took
 */
export async function vitest(projects, files = [], environment = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'sealflow-test-'));
  const report = join(directory, 'report.json');
  try {
    const args = ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    for (const project of projects) args.push('--project', project);
    const env = { ...process.env, ...environment };
    // Node reads that file at each start, which took 60 of 90 ms; no test talks to more than this machine.
    delete env.NODE_EXTRA_CA_CERTS;
    const { status } = await run('npx', [...args, ...files], { shows: true, env });
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    // A file that cannot be loaded has no tests that could fail.
    const failed = numFailedTests > 0 ? numFailedTests : status === 0 ? 0 : Math.max(1, numFailedTestSuites);
    return { passed: numPassedTests, failed, skipped: numPendingTests, files: testResults.map(fileOf) };
  } catch (error) {
    process.stderr.write(`vitest left no report: ${error.message}\n`);
    return { passed: 0, failed: 1, skipped: 0, files: [] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const fileOf = ({ name, startTime, endTime, assertionResults }) => ({
  path: name,
  ran: assertionResults.some(({ status }) => status === 'passed' || status === 'failed'),
  ms: endTime - startTime,
});
