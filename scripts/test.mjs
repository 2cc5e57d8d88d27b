/**
 * `npm test`: installs and builds what is missing, gets what the tests need into the cache, runs the checks and tests, and
 * ends with one line `N passed, N failed`. Suites may be named: `npm test -- unit workflow`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare, ROOT } from './prepare.mjs';

const SUITES = ['static', 'unit', 'workflow', 'e2e', 'engine'];
const VITEST = ['unit', 'workflow', 'e2e', 'engine'];
const NEED_SERVER = ['workflow', 'e2e', 'engine'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !SUITES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`sealflow: no such suite: ${unknown.join(' ')}; there are ${SUITES.join(' ')}\n`);
  process.exit(2);
}
const suites = asked.length > 0 ? asked : SUITES;
const needs = (names) => suites.some((suite) => names.includes(suite));

prepare();
await fillCaches();
const totals = { passed: 0, failed: 0, skipped: 0 };
const count = (passed, failed, skipped = 0) => {
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
};
if (needs(['static'])) for (const name of ['typecheck', 'lint']) check(name);
if (needs(['engine'])) await rustTests();
if (needs(VITEST)) vitest(suites.filter((suite) => VITEST.includes(suite)));
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exit(totals.failed === 0 ? 0 : 1);

/** What takes minutes the first time: said before, and not within some test's time. */
async function fillCaches() {
  const { plainDisplay } = await import('../dist/dev/display.js');
  const display = plainDisplay((line) => process.stdout.write(`${line}\n`));
  if (needs(NEED_SERVER)) {
    const { findTemporalCli } = await import('../dist/server/temporal-cli.js');
    void display.step(
      'Temporal CLI',
      (say) => findTemporalCli({ onStep: say }),
      ({ source }) => source,
    );
  }
  if (needs(['engine'])) {
    const { buildEngine } = await import('../dist/engine/build.js');
    const { findEngine } = await import('../dist/engine/locate.js');
    const { ensureParameters } = await import('../dist/engine/parameters.js');
    const engine = display.step(
      'engine',
      async (say) => (await findEngine()) ?? (await buildEngine({ onStep: say })),
    );
    void display.step('proof parameters for 2KiB', async (say) =>
      ensureParameters(await engine, '2KiB', { onStep: say }),
    );
  }
  await display.start();
}

function check(name) {
  process.stdout.write(`\n${name}\n`);
  const { status } = spawnSync('npm', ['run', '--silent', name], { cwd: ROOT, stdio: 'inherit' });
  count(status === 0 ? 1 : 0, status === 0 ? 0 : 1);
}

/** cargo's tests, in the target directory that the engine's build has filled. */
async function rustTests() {
  process.stdout.write('\nengine (cargo test)\n');
  const { cachePath } = await import('../dist/machine/cache.js');
  const { engineEnvironment } = await import('../dist/engine/environment.js');
  const env = { ...engineEnvironment(), CARGO_TARGET_DIR: cachePath('engine-target') };
  const child = spawn('cargo', ['test', '--release', '--locked'], {
    cwd: join(ROOT, 'engine'),
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
    process.stdout.write(data);
  });
  const status = await new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', resolve);
  });
  let failed = 0;
  for (const [, passed, bad, ignored] of output.matchAll(
    /^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    count(Number(passed), Number(bad), Number(ignored));
    failed += Number(bad);
  }
  // A build that fails, or a test program that dies, has no line of its own.
  if (status !== 0 && failed === 0) count(0, 1);
}

function vitest(projects) {
  const directory = mkdtempSync(join(tmpdir(), 'sealflow-test-'));
  const report = join(directory, 'report.json');
  try {
    const args = ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    for (const project of projects) args.push('--project', project);
    const { status } = spawnSync('npx', args, { cwd: ROOT, stdio: 'inherit' });
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    // A file that cannot be loaded has no tests that could fail.
    const failed = numFailedTests > 0 ? numFailedTests : status === 0 ? 0 : Math.max(1, numFailedTestSuites);
    count(numPassedTests, failed, numPendingTests);
  } catch (error) {
    process.stderr.write(`vitest left no report: ${error.message}\n`);
    count(0, 1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
