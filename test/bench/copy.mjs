import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { inTemporary, spread } from './common.mjs';
import { engineForBench, makeJob, runEngine } from './engine-attempts.mjs';

export const title = 'copy of 4 GiB: P5 (hash, direct writes, fsync, read-back) against cp and sync';

const GIB = 2 ** 30;
const ROUNDS = 3;

export const run = (print) =>
  inTemporary(async (directory) => {
    const engine = await engineForBench();
    const sector = join(directory, 'sector');
    const node = join(directory, 'node');
    for (const path of [sector, join(sector, '1'), join(sector, '1', 'P2-1'), node]) mkdirSync(path);
    const replica = join(sector, '1', 'P2-1', 'sealed');
    const file = { name: 'sealed', size: 4 * GIB, blake3: writeReplica(replica, 4 * GIB) };
    writeP2Result(join(sector, '1', 'P2-1'), [file, ...writeSmallFiles(join(sector, '1', 'P2-1'))]);
    const times = { cp: [], copy: [], readBack: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const target = join(node, 'plain');
      const began = performance.now();
      execFileSync('cp', [replica, target]);
      execFileSync('sync', [target]);
      times.cp.push((performance.now() - began) / 1000);
      rmSync(target);
      const copy = { node, into: `.sealflow/s-t01000-1.${round}`, limitBytesPerSec: 0 };
      const { facts } = runEngine(
        engine,
        makeJob(sector, 'P5', { size: '32GiB', basis: { P2: '../P2-1' }, copy }),
      );
      times.copy.push(facts.writeSeconds);
      times.readBack.push(facts.readBackSeconds);
      rmSync(join(sector, '1', 'P5-1'), { recursive: true });
      rmSync(join(node, '.sealflow'), { recursive: true });
    }
    const ratio = (values) =>
      spread(
        values.map((value, i) => value / times.cp[i]),
        2,
      );
    const whole = times.copy.map((value, i) => value + times.readBack[i]);
    print(`cp and sync                ${spread(times.cp, 1)} s, ${ROUNDS} rounds, in turn with`);
    print(`P5: copy, hash and fsync   ${spread(times.copy, 1)} s, ratio ${ratio(times.copy)}`);
    print(`P5 with the read-back      ${spread(whole, 1)} s, ratio ${ratio(whole)}`);
  });

/** Writes pseudo-random bytes that no file system can make smaller. @returns their BLAKE3 */
function writeReplica(path, size) {
  const block = randomBytes(16 * 2 ** 20);
  const hash = blake3.create();
  const file = openSync(path, 'w');
  for (let written = 0; written < size; written += block.length) {
    block.writeDoubleLE(written, 0);
    hash.update(block);
    writeSync(file, block);
  }
  closeSync(file);
  execFileSync('sync', [path]);
  return bytesToHex(hash.digest());
}

/** The other files that are kept of a 32 GiB sector; the engine wants them all, the clock does not notice them. */
function writeSmallFiles(directory) {
  const trees = Array.from({ length: 8 }, (_, i) => `sc-02-data-tree-r-last-${i}.dat`);
  return ['p_aux', 't_aux', ...trees].map((name) => {
    const content = randomBytes(64);
    writeFileSync(join(directory, name), content);
    return { name, size: content.length, blake3: bytesToHex(blake3(content)) };
  });
}

function writeP2Result(directory, files) {
  const zeros = '00'.repeat(32);
  const result = {
    v: 1,
    phase: 'P2',
    sector: 't01000/1',
    size: '32GiB',
    inputHash: createHash('sha256').update('bench').digest('hex'),
    outputs: { commR: zeros, commD: zeros, files },
    facts: {},
  };
  writeFileSync(join(directory, 'result.json'), JSON.stringify(result));
}
