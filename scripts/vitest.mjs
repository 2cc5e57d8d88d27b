import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from './prepare.mjs';
import { run } from './run.mjs';

/** Of a failed test's message: what it expected and the first frames, which name the line. */
const LINES = 12;

/**
 * Runs vitest projects.
 * @param files parts of paths of test files; none: all
 * @returns how many tests passed, failed, were skipped; what failed, and why; of each file whether any of its tests ran, and
 * how long they took
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
    const written = JSON.parse(readFileSync(report, 'utf8'));
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, testResults } = written;
    // A file that cannot be loaded has no tests that could fail.
    const failed = numFailedTests > 0 ? numFailedTests : status === 0 ? 0 : Math.max(1, numFailedTestSuites);
    const counted = { passed: numPassedTests, failed, skipped: numPendingTests };
    return { ...counted, failures: failuresOf(written), files: testResults.map(fileOf) };
  } catch (error) {
    process.stderr.write(`vitest left no report: ${error.message}\n`);
    return { passed: 0, failed: 1, skipped: 0, failures: ['vitest left no report'], files: [] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What failed in a report of vitest, each with the beginning of its message. A file that could not be loaded has no tests. */
export function failuresOf({ testResults }) {
  return testResults
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const path = relative(ROOT, name);
      const failed = assertionResults.filter(({ status }) => status === 'failed');
      if (failed.length === 0) return [`${path}\n${beginning(message)}`];
      return failed.map(
        ({ fullName, failureMessages }) => `${path} > ${fullName}\n${beginning(failureMessages.join('\n'))}`,
      );
    });
}

const beginning = (message) =>
  message
    .split('\n')
    .slice(0, LINES)
    .map((line) => `  ${line}`)
    .join('\n');

const fileOf = ({ name, startTime, endTime, assertionResults }) => ({
  path: name,
  ran: assertionResults.some(({ status }) => status === 'passed' || status === 'failed'),
  ms: endTime - startTime,
});
