import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureParameters } from '#dist/engines/parameters.js';
import { inTemporary, seconds } from './common.mjs';
import { engineForBench, makeJob, runEngine } from './engine-attempts.mjs';
import { reserve } from './stored-sector.mjs';

export const title = 'a real 2 KiB sector: through the whole system against the engine alone';

const MAIN = fileURLToPath(new URL('../../dist/cli/sealflow.cjs', import.meta.url));
const PHASES = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6'];

export const run = (print) =>
  inTemporary(async (directory) => {
    const engine = await engineForBench();
    await ensureParameters(engine, '2KiB');
    const alone = engineAlone(engine, directory);
    let output = '';
    const whole = await seconds(async () => {
      const args = [MAIN, 'dev', '--directory', join(directory, 'dev')];
      ({ stdout: output } = await promisify(execFile)(process.execPath, args));
    });
    const system = Object.fromEntries(
      [...output.matchAll(/(P\d) (\d+\.\d+)/g)].map(([, phase, s]) => [phase, Number(s)]),
    );
    // dev counts all its steps from its own start; the sector begins when `start` is done.
    const end = (step) => Number(new RegExp(`${step}: done in (\\d+\\.\\d+) s`).exec(output)?.[1]);
    const sector = end('seal') - end('start');
    const sum = Object.values(alone).reduce((a, b) => a + b, 0);
    print(`phase     ${PHASES.map((phase) => phase.padStart(7)).join('')}`);
    print(
      `alone     ${PHASES.map((phase) => (alone[phase]?.toFixed(1) ?? '').padStart(7)).join('')}  sum ${sum.toFixed(1)} s`,
    );
    print(
      `sealflow  ${PHASES.map((phase) => (system[phase]?.toFixed(1) ?? '').padStart(7)).join('')}  start to end ${sector.toFixed(1)} s`,
    );
    print(
      `ratio     ${(sector / sum).toFixed(2)}; with server, five processes and verification ${whole.toFixed(1)} s`,
    );
  });

/** P1 to P5 one after the other, each measured as a whole process. */
function engineAlone(engine, directory) {
  const sector = join(directory, 'sector');
  const node = join(directory, 'node');
  for (const path of [sector, node]) mkdirSync(path);
  const seed = '02'.repeat(32);
  const copy = { node, staging: reserve(node, 's-t01000-1.bench'), limitBytesPerSec: 0 };
  const jobs = {
    P1: {},
    P2: { inputs: { P1: '../P1-1' } },
    P3: { inputs: { P2: '../P2-1' }, seed },
    P4: { inputs: { P2: '../P2-1', P3: '../P3-1' }, seed },
    P5: { inputs: { P2: '../P2-1' }, copy },
  };
  const times = {};
  for (const [phase, job] of Object.entries(jobs)) {
    const began = performance.now();
    runEngine(engine, makeJob(sector, phase, job));
    times[phase] = (performance.now() - began) / 1000;
  }
  return times;
}
