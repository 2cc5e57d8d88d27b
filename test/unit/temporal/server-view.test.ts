/** What the server knows of a sector besides its workflow: here, who is at work for it. */
import { defaultPayloadConverter } from '@temporalio/common';
import { expect, test } from 'vitest';
import type { HeartbeatDetails } from '../../../src/heartbeat.js';
import { withWork } from '../../../src/temporal/ask/sector-status.js';
import { serverView } from '../../../src/temporal/ask/server-view.js';
import { statusOf } from '../../../src/workflows/core/views.js';
import {
  activities,
  P3,
  P4,
  pending,
  PLACE,
  SCHEDULED,
  serverWith,
  STARTED,
} from '../../helpers/asked-server.js';
import { after, begins, works } from '../../helpers/story.js';

const heartbeat = (more: Partial<HeartbeatDetails>) => ({
  heartbeatDetails: {
    payloads: [
      defaultPayloadConverter.toPayload({
        ...{ phase: 'P3', host: '10.0.0.2', at: '1/P3-1', step: 'proving', fraction: null },
        ...more,
      }),
    ],
  },
});

async function atWork(...all: object[]) {
  const { client, whoServes } = serverWith([P3, P4]);
  Object.assign(client.options, { loadedDataConverter: { payloadConverter: defaultPayloadConverter } });
  return (await serverView(client, activities(...all), PLACE, whoServes)).atWork;
}

test('a host is at work whose heartbeat says so, as long as it has the task', async () => {
  const working = heartbeat({ works: true });
  expect(await atWork({ ...pending('commitPhase1', STARTED), ...working })).toEqual([
    { phase: 'P3', host: '10.0.0.2' },
  ]);
  expect(await atWork({ ...pending('commitPhase1', SCHEDULED), ...working })).toEqual([]);
  expect(await atWork({ ...pending('commitPhase1', STARTED), ...heartbeat({}) })).toEqual([]);
  expect(await atWork(pending('commitPhase1', STARTED))).toEqual([]);
});

const P1_WORKS = { atWork: [{ phase: 'P1' as const, host: '10.0.0.7' }] };

test('a phase that works is shown so before the workflow knows', () => {
  const queued = statusOf(after(begins('P1')));
  expect([queued.state, queued.phases.P1.state]).toEqual(['queued', 'queued']);
  const shown = withWork(queued, P1_WORKS);
  expect(shown).toMatchObject({
    state: 'working',
    phases: { P1: { state: 'working', host: '10.0.0.7', tries: 1 } },
  });
  expect(shown.phases.P2).toBe(queued.phases.P2);
});

test('what the workflow knows is left as it is', () => {
  const known = statusOf(after(begins('P1'), works('P1')));
  expect(withWork(known, P1_WORKS)).toBe(known);
  const queued = statusOf(after(begins('P1')));
  expect(withWork(queued, { atWork: [] })).toBe(queued);
  const attention = { ...queued, state: 'needs-attention' } as const;
  expect(withWork(attention, P1_WORKS).state).toBe('needs-attention');
});
