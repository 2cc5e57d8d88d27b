/** One cell of the matrix, from the start of a sector to what must have come of it. */
import { beforeAll, expect, test } from 'vitest';
import { PHASES } from '../../../src/phases.js';
import { OwnCluster } from '../../helpers/own-cluster.js';
import { Fixture } from '../fixture.js';
import { expectSealed, type Work } from './sealed.js';
import { cellsOf, type Cell, type Fault } from './cells.js';
import { inflict } from './faults.js';
import { reach } from './moments.js';

/** What an engine that dies may cost P1: the layer in work, and the one before it, not yet recorded. */
const LAYERS_AT_MOST = 2;

/** A fixture of that many hosts for the tests of a file. Call it at the top. @returns it, once the tests run */
export function useFixture(hosts: number): () => Fixture {
  let fixture: Fixture | undefined;
  beforeAll(async () => {
    const cluster = await OwnCluster.start();
    fixture = await Fixture.make(cluster, hosts);
    return () => cluster.end();
  });
  return () => {
    if (!fixture) throw new Error('there is no fixture before the tests run');
    return fixture;
  };
}

/** A test for each cell of these faults, one after the other. */
export function testCells(fixture: () => Fixture, ...faults: Fault[]): void {
  for (const cell of cellsOf(...faults)) test(titleOf(cell), () => runCell(fixture(), cell));
}

export const titleOf = ({ phase, fault, moment }: Cell): string =>
  `${fault}: ${phase} (${PHASES[phase].title}), ${moment}`;

/** @throws when the sector does not come out as if nothing had happened */
export async function runCell(fixture: Fixture, cell: Cell): Promise<void> {
  await fixture.fill();
  const held = await reach(fixture, cell);
  await inflict(fixture, held, cell);
  const { layersAgain, starts } = await expectSealed(fixture, held.begun);
  expect(layersAgain).toBeLessThanOrEqual(LAYERS_AT_MOST);
  if (sparesEngines(cell)) expect({ layersAgain, starts }).toEqual(NOTHING_TWICE);
}

const NOTHING_TWICE: Work = { layersAgain: 0, starts: { P1: 1, P2: 1, P3: 1, P4: 1, P5: 1 } };

/**
 * Faults that no engine feels cost no work. An engine that has not shown itself when its worker dies may be followed by
 * another one: nobody can know that it is there.
 */
const sparesEngines = ({ phase, fault, moment }: Cell): boolean =>
  fault === 'server SIGKILL' || phase === 'P6' || (fault.startsWith('worker') && moment !== 'start');
