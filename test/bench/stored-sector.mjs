/** A sector that P5 copies: sealed for real at 8 MiB, its replica then made as large as a bench wants. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { makeJob, runEngine } from './engine-attempts.mjs';

export const SIZE = '8MiB';

/** Runs P1 and P2 in `<directory>/1`. */
export function sealSector(engine, directory) {
  mkdirSync(directory);
  runEngine(engine, makeJob(directory, 'P1', { size: SIZE }));
  runEngine(engine, makeJob(directory, 'P2', { size: SIZE, inputs: { P1: '../P1-1' } }));
}

/**
 * Makes attempts of P2 like the sector's own, with replicas of these sizes: the leaves that P5 proves are those of the first
 * 8 MiB, and what follows is pseudo-random, so that no file system can make it smaller.
 * @param sizes by name of the attempt
 */
export function enlarge(directory, sizes) {
  const p2 = join(directory, '1', 'P2-1');
  const result = JSON.parse(readFileSync(join(p2, 'result.json'), 'utf8'));
  const replica = readFileSync(join(p2, 'sealed'));
  const open = Object.entries(sizes).map(([name, size]) => {
    const path = join(directory, '1', name);
    mkdirSync(path);
    for (const file of result.outputs.files) copyFileSync(join(p2, file.name), join(path, file.name));
    return { path, size, file: openSync(join(path, 'sealed'), 'w') };
  });
  const hash = blake3.create();
  const block = randomBytes(16 * 2 ** 20);
  let written = 0;
  const append = (bytes) => {
    for (const { file, size } of open) writeSync(file, bytes.subarray(0, Math.max(0, size - written)));
    const ends = open.filter(({ size }) => size > written && size <= written + bytes.length);
    for (const end of ends) {
      const digest = hash.clone().update(bytes.subarray(0, end.size - written));
      writeResult(end, result, bytesToHex(digest.digest()));
    }
    hash.update(bytes);
    written += bytes.length;
  };
  append(replica);
  while (open.some(({ size }) => size > written)) {
    block.writeDoubleLE(written, 0);
    append(block);
  }
  for (const { file } of open) {
    fsyncSync(file);
    closeSync(file);
  }
  execFileSync('sync');
}

function writeResult({ path, size }, result, digest) {
  const files = result.outputs.files.map((file) =>
    file.name === 'sealed' ? { ...file, size, blake3: digest } : file,
  );
  const changed = { ...result, outputs: { ...result.outputs, files } };
  writeFileSync(join(path, 'result.json'), JSON.stringify(changed));
}

/** What the worker makes before P5 begins. @returns `staging` */
export function reserve(node, name) {
  const staging = join('.sealflow', name);
  mkdirSync(join(node, staging), { recursive: true });
  writeFileSync(join(node, staging, 'copy.json'), '{}');
  return staging;
}
