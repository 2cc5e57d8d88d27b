/** `npm run bench`: side-by-side measurements, told as ratios of one run. Names pick some: `npm run bench -- copy`. */
import { prepare } from './prepare.mjs';

const BENCHES = ['phases', 'sector', 'copy', 'copy-limit', 'pools', 'many-p1', 'idle-worker'];

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`sealflow: no such bench: ${unknown.join(' ')}; there are ${BENCHES.join(' ')}\n`);
  process.exit(2);
}
prepare();
for (const name of asked.length > 0 ? asked : BENCHES) {
  const { title, run } = await import(`../test/bench/${name}.mjs`);
  process.stdout.write(`\n## ${title}\n`);
  await run((line) => process.stdout.write(`${line}\n`));
}
process.exit(0);
