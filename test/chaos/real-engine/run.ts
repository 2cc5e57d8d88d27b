/** Cells of one sector, from its start to what must have come of it. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import { readResult } from '../../../src/sector-directory/attempt.js';
import { cacheDir, isGoneName, sealedLink } from '../../../src/paths.js';
import { sectorOf } from '../../../src/sector.js';
import { eventually } from '../../helpers/eventually.js';
import { processesWith } from '../../helpers/processes.js';
import type { Fault, Moment } from '../matrix/cells.js';
import { tally } from '../tally.js';
import type { RealFixture, RealSector, Results } from './fixture.js';
import { lineOf, REAL_PHASES, type RealPhase } from './cells.js';
import { inflict, sparesEngines, type Cell } from './faults.js';

/** A fault at a moment of each phase that has it. */
type Row = Omit<Cell, 'phase'>;

/** Of 8 MiB. */
const LAYERS = 2;
/** What an engine that dies may cost P1: the layer in work, and the one before it, not yet recorded. */
const LAYERS_AT_MOST = 2;

/** A test of a fault at some moments, at once: each has a group of its own. */
export function testFault(fixture: () => RealFixture, fault: Fault, moments: readonly Moment[]): void {
  test(`${fault}: P1, P2, P3; ${moments.join(', ')}`, async () => {
    const runs = moments.map((moment, i) => runRow(fixture(), { fault, moment }, i + 1));
    // All, so that none goes on behind a test that is over.
    const failed = (await Promise.allSettled(runs)).filter((run) => run.status === 'rejected');
    if (failed.length > 0) throw new AggregateError(failed.map(({ reason }) => reason as unknown));
  });
}

/**
 * The nth sector goes through three cells, one in each phase: what a phase makes is compared with what it makes alone, so
 * nothing that one of them has spoilt is hidden by another.
 * @throws when it does not come through P3 as if nothing had happened
 */
async function runRow(fixture: RealFixture, row: Row, n: number): Promise<void> {
  const sector = await fixture.begin(fixture.sector(n), row.fault === 'host lost' ? 2 : 1);
  for (const phase of REAL_PHASES) {
    if (await inflict(sector, { phase, ...row })) continue;
    console.log(`${row.fault}, ${row.moment}: an engine of ${phase} was faster; again`);
    await abort(sector);
    tally({ ended: 1 });
    return await runRow(fixture, row, n);
  }
  await throughP3(sector);
  tally({ throughP3: 1 });
  await expectAsUndisturbed(sector);
  expectWork(sector, row);
  await abort(sector);
  await expectNothingLeft(sector);
}

/** Waits until P3 is done. @throws when the sector needs attention before, as it would then wait for ever */
async function throughP3({ fixture: { cluster }, begun: { sector } }: RealSector): Promise<void> {
  await eventually(async () => {
    const { phases, attention } = await cluster.status(sector);
    if (attention[0]) throw new Error(`${sector} needs attention: ${JSON.stringify(attention)}`);
    return phases.P3.state === 'done';
  });
}

/** What every attempt with a result reports, and the files there, are what the engine alone makes of this sector. */
async function expectAsUndisturbed(sector: RealSector): Promise<void> {
  const { fixture, begun } = sector;
  const expected = await fixture.undisturbed(begun);
  const { commR, commD } = await fixture.cluster.status(begun.sector);
  const hex = (base64 = ''): string => Buffer.from(base64, 'base64').toString('hex');
  const reported = { commR: hex(commR), commD: hex(commD) };
  const results = await resultsOf(sector);
  const kept = await keptOf(sector, expected);
  const actual = { reported, results, kept };
  const right = {
    reported: { commR: expected.P2.commR, commD: expected.P2.commD },
    results: results.map(({ at, phase }) => ({ at, phase, outputs: expected[phase] })),
    kept: Object.fromEntries((expected.P2.files ?? []).map(({ name, blake3: digest }) => [name, digest])),
  };
  if (JSON.stringify(actual) !== JSON.stringify(right)) tally({ wrong: 1 });
  expect(actual).toEqual(right);
  expect(new Set(results.map(({ phase }) => phase))).toEqual(new Set(REAL_PHASES));
}

async function resultsOf({
  directory,
}: RealSector): Promise<{ at: string; phase: RealPhase; outputs: Results[RealPhase] }[]> {
  const found = [];
  for (const phase of REAL_PHASES) {
    for (const at of await attemptsOf(directory, phase)) {
      const result = await readResult({ directory: join(directory, at) });
      if (result) found.push({ at, phase, outputs: result.outputs });
    }
  }
  return found;
}

/** Digests of the replica and of what is kept with it, as they lie in the attempt of P2 that counts. */
async function keptOf({ directory }: RealSector, expected: Results): Promise<Record<string, string>> {
  for (const at of await attemptsOf(directory, 'P2')) {
    if (!existsSync(join(directory, at, 'result.json'))) continue;
    const digests = (expected.P2.files ?? []).map(
      async ({ name }) => [name, bytesToHex(blake3(await readFile(join(directory, at, name))))] as const,
    );
    return Object.fromEntries(await Promise.all(digests));
  }
  return {};
}

async function attemptsOf(directory: string, phase: RealPhase): Promise<string[]> {
  const names = await readdir(join(directory, '1'));
  const number = (name: string): number => Number(name.split('-')[1]);
  return names
    .filter((name) => name.startsWith(`${phase}-`))
    .sort((a, b) => number(a) - number(b))
    .map((name) => `1/${name}`);
}

/** No work is done twice but by an engine that was killed, and of P1 not even that whole. */
function expectWork({ logs }: RealSector, { fault, moment }: Row): void {
  // Each engine of P1 logs "tree-d", and each layer, also one that it has taken over: it then logs that it skips that layer.
  const computed = logs.count('P1', 'generating layer: ') - logs.count('P1', 'skipping layer ');
  const layersAgain = computed - LAYERS;
  const starts = REAL_PHASES.map((phase) => [phase, logs.attempts(phase).length] as const);
  const phasesAgain = logs.attempts('P2').length + logs.attempts('P3').length - 2;
  tally({ layersAgain, phasesAgain });

  const spared = sparesEngines(fault);
  const expected = REAL_PHASES.map((phase) => [phase, spared || !lineOf(phase, moment) ? 1 : 2]);
  expect(starts).toEqual(expected);
  expect(layersAgain).toBeLessThanOrEqual(LAYERS_AT_MOST);
  if (spared) expect(layersAgain).toBe(0);
  // It was killed while it computed layer 2, with layer 1 on record.
  else if (moment === 'middle') expect(layersAgain).toBe(1);
}

async function abort({ fixture: { cluster }, begun: { sector } }: RealSector): Promise<void> {
  const end = await cluster.sealflow('abort', sector, '--yes');
  expect(end).toMatchObject({ code: 0, stderr: '' });
}

async function expectNothingLeft({ group, directory, begun }: RealSector): Promise<void> {
  const sector = sectorOf(begun.sector);
  const engines = (await processesWith(`${directory}/`)).map((pid) => `engine ${pid}`);
  const paths = [directory, sealedLink(group.directory, sector)].filter((path) => existsSync(path));
  const gone = (await readdir(cacheDir(group.directory))).filter((name) => isGoneName(sector, name));
  const left = [...engines, ...paths, ...gone];
  tally({ orphans: left.length });
  expect(left).toEqual([]);
}
