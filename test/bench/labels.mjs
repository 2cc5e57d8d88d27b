import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { inTemporary, median, spread } from './common.mjs';
import { engineForBench, makeJob, runEngine } from './engine-attempts.mjs';

export const title = 'P1 of 512 MiB: one core against several';

const ROUNDS = 3;
/** The library's default. */
const PRODUCERS = Math.min(3, availableParallelism() - 1);

export const run = (print) =>
  inTemporary(async (directory) => {
    if (PRODUCERS === 0) return print('this machine has one core');
    const engine = await engineForBench();
    /** @type {Record<string, any[]>} */
    const measured = { single: [], several: [] };
    const outputs = new Set();
    const measure = (name, producers) => {
      const sector = join(directory, name);
      const { facts, outputs: made } = runEngine(
        engine,
        makeJob(sector, 'P1', { size: '512MiB', producers }),
      );
      rmSync(sector, { recursive: true });
      outputs.add(JSON.stringify(made));
      return facts;
    };
    // Makes the parent cache, or reads it into the page cache.
    measure('warm', PRODUCERS);
    for (let round = 0; round < ROUNDS; round++) {
      measured.single.push(measure('single', 0));
      measured.several.push(measure('several', PRODUCERS));
    }
    const of = (name, key) => measured[name].map((facts) => facts[key]);
    for (const [name, cores] of [
      ['single', 1],
      ['several', PRODUCERS + 1],
    ])
      print(
        `${cores} core(s): ${spread(of(name, 'seconds'), 1)} s, ${spread(of(name, 'cpuSeconds'), 1)} core s`,
      );
    const ratio = median(of('several', 'seconds')) / median(of('single', 'seconds'));
    print(`ratio ${ratio.toFixed(2)}; layers ${outputs.size === 1 ? 'equal' : 'DIFFER'}`);
    if (outputs.size !== 1) throw new Error('the layers differ');
  });
