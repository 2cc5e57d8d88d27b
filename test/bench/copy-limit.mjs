import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inTemporary } from './common.mjs';
import { engineForBench, makeJob } from './engine-attempts.mjs';
import { lookingAt } from './proc.mjs';
import { highestRate, transferredBy } from './rates.mjs';
import { enlarge, reserve, sealSector, SIZE } from './stored-sector.mjs';

export const title =
  'limits of copies: average and highest 5 s, writing and reading back, as ratios of the limit';

const MB = 1e6;
const LIMITS = [20, 100, 200];
const SECONDS = 15;
const SHARED = 200;
const COPIES = 3;

export const run = (print) =>
  inTemporary(async (directory) => {
    const bench = { engine: await engineForBench(), directory, node: join(directory, 'node') };
    mkdirSync(bench.node);
    const sector = join(directory, 'sector');
    sealSector(bench.engine, sector);
    // Each is copied in the same time under its own limit.
    enlarge(sector, Object.fromEntries(LIMITS.map((limit) => [`for-${limit}`, limit * SECONDS * MB])));
    const own = (limit) => ({ inputs: `for-${limit}`, limit, limitBytesPerSec: limit * MB });
    for (const limit of LIMITS) tell(print, 'alone', await copyAll(bench, [own(limit)]));
    tell(print, `${LIMITS.length} at once`, await copyAll(bench, LIMITS.map(own)));
    await shared(print, bench);
  });

/** @param ran of each copy: the job's limit, its result, its samples */
function tell(print, how, { copies }) {
  for (const { limit, facts, samples } of copies) {
    const ratio = (rate) => (rate / (limit * MB)).toFixed(3);
    const highest = (counter) => ratio(highestRate(series(samples, counter), 5));
    print(
      `${`${limit} MB/s ${how}`.padEnd(22)} average ${ratio(facts.bytes / facts.writeSeconds)}, back ` +
        `${ratio(facts.bytes / facts.readBackSeconds)}; highest 5 s ${highest('written')}, back ${highest('read')}`,
    );
  }
}

/** Copies without limits of their own, of which one would take all that there is. */
async function shared(print, bench) {
  // In memory, as on a real host.
  const path = `/dev/shm/sealflow-bench-${process.pid}`;
  const job = { inputs: 'for-100', limit: SHARED, shared: { limitBytesPerSec: SHARED * MB, path } };
  try {
    const { copies, all } = await copyAll(
      bench,
      Array.from({ length: COPIES }, () => job),
    );
    const written = series(all, 'written');
    const sum = copies.reduce((bytes, { facts }) => bytes + facts.bytes, 0);
    const writing = Math.max(...copies.map(({ facts }) => facts.writeSeconds));
    const ratio = (rate) => (rate / (SHARED * MB)).toFixed(3);
    print(
      `${SHARED} MB/s for ${COPIES} together`.padEnd(22) +
        ` average ${ratio(sum / writing)}; highest 5 s ${ratio(highestRate(written, 5))}, back ` +
        ratio(highestRate(series(all, 'read'), 5)),
    );
    // All of the same size: as fair as their times are equal.
    const shares = copies.map(({ facts }) => (facts.bytes / facts.writeSeconds / (SHARED * MB)).toFixed(3));
    print(`${''.padEnd(22)} each of them ${shares.join(', ')}`);
  } finally {
    rmSync(path, { force: true });
  }
}

const series = (samples, counter) => samples.map((sample) => [sample.at, sample[counter]]);

/** Runs a P5 for each job at once. @returns results and samples of each, and samples of their sum */
async function copyAll({ engine, directory, node }, jobs) {
  const { command, environment } = engine;
  const copies = jobs.map(({ inputs, limit, ...limits }, i) => {
    const sector = join(directory, `copy-${i}`);
    const copy = { node, staging: reserve(node, `s-t01000-1.${i}`), limitBytesPerSec: 0, ...limits };
    const job = { size: SIZE, inputs: { P2: `../../../sector/1/${inputs}` }, copy };
    const attempt = makeJob(sector, 'P5', job);
    return { attempt, sector, limit, samples: [] };
  });
  const ends = copies.map(async (copy) => {
    const child = spawn(command[0], [...command.slice(1), 'run', copy.attempt], {
      cwd: copy.attempt,
      env: { ...environment, RUST_LOG: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    copy.pid = child.pid;
    const code = await new Promise((resolve) => child.once('close', resolve));
    if (code !== 0) throw new Error(`engine: exit ${code}`);
    copy.facts = JSON.parse(readFileSync(join(copy.attempt, 'result.json'), 'utf8')).facts;
  });
  const all = [];
  const look = () => {
    const at = performance.now() / 1000;
    const sum = { at, read: 0, written: 0 };
    for (const copy of copies) {
      // One that has ended stays where it was.
      const now = transferredBy(copy.pid);
      const last = copy.samples.at(-1) ?? { read: 0, written: 0 };
      if (now) copy.samples.push({ at, ...now });
      sum.read += (now ?? last).read;
      sum.written += (now ?? last).written;
    }
    all.push(sum);
  };
  await lookingAt(100, look, () => Promise.all(ends));
  for (const { sector } of copies) rmSync(sector, { recursive: true });
  rmSync(join(node, '.sealflow'), { recursive: true });
  return { copies, all };
}
