/** `npm run bench`: side-by-side measurements, as ratios of one run. Names select some: `npm run bench -- copy`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';
import { beginTestRun } from './test-run.mjs';

const BENCHES = ['phases', 'sector', 'labels', 'copy', 'copy-limit', 'pools', 'many-p1', 'idle-worker'];

const SELF = fileURLToPath(import.meta.url);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`sealflow: no such bench: ${unknown.join(' ')}; there are ${BENCHES.join(' ')}\n`);
  process.exit(2);
}
prepare();
beginTestRun();
if (asked.length === 1) {
  const { title, run } = await import(`../test/bench/${asked[0]}.mjs`);
  process.stdout.write(`\n## ${title}\n`);
  await run((line) => process.stdout.write(`${line}\n`));
  process.exit(0);
}
// Each in a process of its own: Temporal's runtime can be installed once, and no bench sees what another has left.
const names = asked.length > 0 ? asked : BENCHES;
const codes = names.map((name) => spawnSync(process.execPath, [SELF, name], { stdio: 'inherit' }).status);
process.exit(codes.every((code) => code === 0) ? 0 : 1);
