import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inTemporary, spread } from './common.mjs';
import { engineForBench, makeJob, runEngine } from './engine-attempts.mjs';
import { enlarge, reserve, sealSector, SIZE } from './stored-sector.mjs';

export const title =
  'copy of 4 GiB: P5 (hash, direct writes, fsync, read-back, challenges) against cp and sync';

const GIB = 2 ** 30;
const ROUNDS = 5;

export const run = (print) =>
  inTemporary(async (directory) => {
    const engine = await engineForBench();
    const sector = join(directory, 'sector');
    const node = join(directory, 'node');
    mkdirSync(node);
    sealSector(engine, sector);
    enlarge(sector, { large: 4 * GIB });
    /** @type {Record<string, number[]>} */
    const times = { cp: [], copy: [], readBack: [], prove: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const target = join(node, 'plain');
      const began = performance.now();
      execFileSync('cp', [join(sector, '1', 'large', 'sealed'), target]);
      execFileSync('sync', [target]);
      times.cp.push((performance.now() - began) / 1000);
      rmSync(target);
      const copy = { node, staging: reserve(node, 's-t01000-1.bench'), limitBytesPerSec: 0 };
      const job = makeJob(sector, 'P5', { size: SIZE, inputs: { P2: '../large' }, copy });
      const { facts } = runEngine(engine, job);
      times.copy.push(facts.writeSeconds);
      times.readBack.push(facts.readBackSeconds);
      times.prove.push(facts.proveSeconds);
      rmSync(join(sector, '1', 'P5-1'), { recursive: true });
      rmSync(join(node, '.sealflow'), { recursive: true });
    }
    const sum = (...parts) => parts[0].map((_, i) => parts.reduce((all, part) => all + part[i], 0));
    const line = (what, values, digits = 2) => {
      const ratios = values.map((value, i) => value / times.cp[i]);
      print(`${what.padEnd(26)} ${spread(values, digits)} s, ratio ${spread(ratios, digits)}`);
    };
    print(`cp and sync                ${spread(times.cp, 2)} s, ${ROUNDS} rounds, in turn with`);
    line('P5: copy, hash and fsync', times.copy);
    line('P5 with the read-back', sum(times.copy, times.readBack));
    line('P5 with all checks', sum(times.copy, times.readBack, times.prove));
    print('what each check costs:');
    line('read-back', times.readBack);
    line('66 challenges', times.prove, 3);
  });
