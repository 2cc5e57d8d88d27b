/**
 * `npm test`: installs and builds what is missing, gets what the tests need into the cache, runs the checks and tests, and
 * ends with what failed, if anything did, and one line `N passed, N failed`. Suites that are named are run whole: `npm test -- unit
 * workflow`, or `npm test -- all`. A bare `npm test` leaves out some files (vitest.config.ts), and what cargo has passed before.
 */
import { fillCaches } from './caches.mjs';
import { prepare } from './prepare.mjs';
import { run } from './run.mjs';
import { rust } from './rust.mjs';
import { suiteOf, TOGETHER } from './suites.mjs';
import { beginTestRun } from './test-run.mjs';
import { vitest } from './vitest.mjs';

const SUITES = ['static', 'unit', 'workflow', 'e2e', 'chaos', 'engine'];
const NEED_SERVER = ['workflow', 'e2e', 'chaos', 'engine'];

const given = process.argv.slice(2);
const asked = given.includes('all') ? SUITES : given;
const isShort = asked.length === 0;
const unknown = asked.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(
    `sealflow: no such suite: ${unknown.join(' ')}; there are ${SUITES.join(' ')}, or all\n`,
  );
  process.exit(2);
}
const suites = isShort ? SUITES : asked;
const needs = (names) => suites.some((suite) => names.includes(suite));

prepare();
beginTestRun();
await fillCaches({ server: needs(NEED_SERVER), engine: needs(['engine']) });
const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
/** @param named what failed of it, told once more at the end: what it printed may be far above, or cut off */
const count = ({ passed = 0, failed = 0, skipped = 0, failures: named = [] }) => {
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
  failures.push(...named);
};
const countCheck = (name, status) => count(status === 0 ? { passed: 1 } : { failed: 1, failures: [name] });
// At low priority beside the tests, which often wait for something.
const beside = [needs(['static']) && staticChecks(), engineCrate()];
// One group after the other: what the files of a group share (a server, a cluster) must not run beside the next ones.
for (const { names } of TOGETHER) {
  const projects = names.filter((project) => suites.includes(suiteOf(project)));
  if (projects.length === 0) continue;
  count(await vitest(projects, [], isShort ? { SEALFLOW_TESTS: 'short' } : {}));
}
for (const said of await Promise.all(beside)) if (said) process.stdout.write(said);
if (failures.length > 0) process.stdout.write(`\nfailed:\n${failures.join('\n')}\n`);
if (isShort) process.stdout.write('\nthe short form: npm test -- all leaves nothing out\n');
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exit(totals.failed === 0 ? 0 : 1);

/** @returns what they say */
async function staticChecks() {
  let all = '';
  for (const name of ['typecheck', 'lint']) {
    const { status, said } = await run('nice', ['npm', 'run', '--silent', name]);
    countCheck(name, status);
    all += `\n${name}: ${status === 0 ? 'passed' : 'failed'}\n${said}`;
  }
  return all;
}

/** @returns what cargo says of the engine's crate */
async function engineCrate() {
  const wanted = [needs(['static']) && 'checks', needs(['engine']) && 'tests'].filter(Boolean);
  const results = await rust({ suites: wanted, anew: !isShort });
  for (const { name, said, ...counts } of results)
    count({ ...counts, failures: counts.failed > 0 ? [`${name}\n${failedOf(said)}`] : [] });
  return results.map(({ name, said }) => `\n${name}: ${said}`).join('');
}

/** The lines that name a failed test of Rust. */
const failedOf = (said) =>
  said
    .split('\n')
    .filter((line) => /^test .* FAILED$|^error/.test(line))
    .join('\n');
