/**
 * `npm run chaos`: builds what is missing, runs all of test/chaos/ in its complete form, and prints what was broken and what
 * came of it, as a table for the docs. Files may be named: `npm run chaos -- matrix two-hosts`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillCaches } from './caches.mjs';
import { prepare } from './prepare.mjs';
import { readTally, sums, table } from './tally.mjs';
import { beginTestRun } from './test-run.mjs';
import { vitest } from './vitest.mjs';

const names = process.argv.slice(2);
const LEAST_FAULTS = 100;

prepare();
beginTestRun();
await fillCaches({ server: true, engine: true, parameters: false });
const directory = mkdtempSync(join(tmpdir(), 'sealflow-chaos-'));
const path = join(directory, 'tally');
try {
  // One for all test files of a run: printed here, and again by each of them.
  const seed = process.env.SEALFLOW_CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`chaos: SEALFLOW_CHAOS_SEED=${seed} gives these faults again\n`);
  const environment = {
    SEALFLOW_CHAOS: 'complete',
    SEALFLOW_CHAOS_SEED: seed,
    SEALFLOW_CHAOS_TALLY: path,
  };
  const began = performance.now();
  const { passed, failed, skipped, files } = await vitest(['chaos'], names, environment);
  const minutes = (performance.now() - began) / 60_000;
  const figures = sums(files, readTally(path));
  process.stdout.write(`\n${table(figures, minutes)}`);
  process.stdout.write(
    `\nSeed ${seed}; parts run side by side.\n${passed} passed, ${failed} failed, ${skipped} skipped\n`,
  );
  const { lost, wrong, orphans, faults } = figures.all;
  const tooFew = names.length === 0 && faults < LEAST_FAULTS;
  if (tooFew) process.stderr.write(`sealflow: fewer than ${LEAST_FAULTS} faults were tried\n`);
  process.exitCode = failed > 0 || lost + wrong + orphans > 0 || tooFew ? 1 : 0;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
