/** Where a task stands that waits for a free host. */
import { expect, test } from 'vitest';
import { describeInQueue, tasksInQueue, type InQueue } from '../../../src/temporal/ask/in-queue.js';
import {
  activities,
  AT,
  host,
  pending,
  PLACE,
  SCHEDULED,
  serverWith,
  STARTED,
} from '../../helpers/asked-server.js';

const since = AT;

test('of each task that waits for its first host: since when, beside how many, and for whom', async () => {
  const pools = [{ phases: ['P4' as const], slots: 2, taken: 2 }];
  const { client, whoServes } = serverWith([], {}, [[host('10.0.0.2', { pools }), 1]], 12);
  const waits = activities(
    pending('commitPhase2', SCHEDULED),
    pending('commitPhase1', STARTED),
    { ...pending('copySector', SCHEDULED), lastFailure: { message: 'no free slot' } },
    pending('abortSector', SCHEDULED),
    { ...pending('cleanSector', SCHEDULED), scheduledTime: null },
  );
  expect(await tasksInQueue(client, waits, PLACE, whoServes)).toEqual([
    { phase: 'P4', since, tasks: 12, hosts: ['10.0.0.2'], busy: { slots: 2 } },
  ]);
});

test('of a new sector that no host has room for: why', async () => {
  const noRoom = { reason: 'full', since: new Date() };
  const full = host('10.0.0.2', { configured: ['P1'], noRoom });
  const { client, whoServes } = serverWith([], {}, [[full, 1]], 1);
  const waits = activities(pending('preCommitPhase1', SCHEDULED));
  expect(await tasksInQueue(client, waits, PLACE, whoServes)).toEqual([
    { phase: 'P1', since, tasks: 1, hosts: ['10.0.0.2'], noRoom: 'full' },
  ]);
});

const freeAbout = new Date(Date.UTC(2026, 10, 1, 9, 30)).toISOString();
test.each<readonly [Partial<InQueue>, string]>([
  [{}, 'served by 10.0.0.1'],
  [{ tasks: 2 }, ', with 1 other; served by 10.0.0.1'],
  [{ tasks: 12, hosts: ['10.0.0.1', '10.0.0.2'] }, ', with 11 others; served by 10.0.0.1 10.0.0.2'],
  [{ busy: { slots: 1 } }, '; the only slot of 10.0.0.1 is taken'],
  [{ busy: { slots: 2 } }, '; all 2 slots of 10.0.0.1 are taken'],
  [
    { busy: { slots: 2, freeAbout } },
    '; all 2 slots of 10.0.0.1 are taken, one until about 2026-11-01 09:30Z',
  ],
  [{ noRoom: 'full', busy: { slots: 2 } }, '; 10.0.0.1 takes no new sector: full'],
])('in words: %j', (more, words) => {
  const said = describeInQueue({ phase: 'P4', since, tasks: 1, hosts: ['10.0.0.1'], ...more });
  expect(said).toBe(`in its queue since ${since}${words.startsWith('served') ? '; ' : ''}${words}`);
});
