/** What the orchestrator adds to a sector's current details when somebody asks for them. */
import { defaultPayloadConverter, TypedSearchAttributes, type Payload } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { sealGroup, sealSize } from '../../../src/search-attributes.js';
import { CurrentDetails } from '../../../src/workers/current-details.js';
import { marked } from '../../../src/workflows/core/completed-details.js';
import { activities, AT, P3, pending, SCHEDULED, serverWith, STARTED } from '../../helpers/asked-server.js';

const RUN = '0198-run';
const DETAILS = '**t01000/7** 2KiB, group 1: **queued**\n\n| phase |';
const CONTEXT = { type: 'workflow', namespace: 'default', workflowId: 'seal-t01000-7' } as const;
const NOBODY = `> P4 waits: nobody serves sealflow/1/2KiB/CommitPhase2, scheduled since ${AT}`;

const attributes = new TypedSearchAttributes([
  { key: sealGroup, value: '1' },
  { key: sealSize, value: '2KiB' },
]);
const answerOf = (currentDetails: string): Payload =>
  defaultPayloadConverter.toPayload({ definition: { type: 'sealSector' }, currentDetails });

/** A server that describes runs so. */
function codec(describe: () => Promise<object>, maxMs?: number) {
  const asked: string[][] = [];
  const getHandle = (...run: string[]) => ({
    describe: () => {
      asked.push(run);
      return describe();
    },
  });
  const { client } = serverWith([P3]);
  Object.assign(client, { workflow: { getHandle } });
  Object.assign(client.options, { loadedDataConverter: { payloadConverter: defaultPayloadConverter } });
  return { codec: new CurrentDetails(client, maxMs), asked };
}

const described = (raw: object, status = 'RUNNING') =>
  codec(() => Promise.resolve({ raw, status: { name: status }, typedSearchAttributes: attributes }));
const lying = (...all: object[]) => described(activities(...all));

async function detailsOf({ codec: one }: ReturnType<typeof codec>, details = marked(DETAILS, RUN)) {
  const [answer] = await one.encode([answerOf(details)], CONTEXT);
  const { definition, currentDetails } = defaultPayloadConverter.fromPayload<Record<string, string>>(
    answer as Payload,
  );
  expect(definition).toEqual({ type: 'sealSector' });
  return currentDetails?.split('\n');
}

describe('current details', () => {
  test('say why a phase waits, of the run that is looked at', async () => {
    const server = lying(pending('commitPhase2', SCHEDULED));
    expect(await detailsOf(server)).toEqual([DETAILS.split('\n')[0], '', NOBODY, '', '| phase |']);
    expect(server.asked).toEqual([['seal-t01000-7', RUN]]);
  });

  test('say what an engine does, and where', async () => {
    const heartbeat = { phase: 'P3', host: '10.0.0.2', at: '1/P3-1', step: 'proving | all', fraction: 0.43 };
    const heartbeatDetails = { payloads: [defaultPayloadConverter.toPayload(heartbeat)] };
    const server = lying({ ...pending('commitPhase1', STARTED), heartbeatDetails });
    expect(await detailsOf(server)).toContain('> P3 on 10.0.0.2: proving / all 43 %');
  });

  test('say why a host has handed a phase back, not what its engine did', async () => {
    const heartbeat = { phase: 'P3', host: '10.0.0.2', at: '1/P3-1', step: 'proving', fraction: 0.43 };
    const handedBack = {
      ...pending('commitPhase1', SCHEDULED),
      heartbeatDetails: { payloads: [defaultPayloadConverter.toPayload(heartbeat)] },
      lastFailure: { message: 'no free slot\non 10.0.0.2' },
    };
    expect(await detailsOf(lying(handedBack))).toContain('> P3 waits: no free slot on 10.0.0.2');
  });

  test('say what a stop waits for, and what the chain is to give', async () => {
    const details = await detailsOf(lying(pending('stopSector', SCHEDULED), pending('awaitSeed', SCHEDULED)));
    expect(details).toContain(`> waits: nobody serves sealflow/1/control, scheduled since ${AT}`);
    expect(details?.find((line) => line.startsWith('> P3'))).toMatch(
      /^> P3 waits: no orchestrator watches the chain: nobody serves \S+, scheduled since/,
    );
  });

  test('say nothing of a run that has ended, nor of one that has not begun', async () => {
    const over = described(activities(pending('commitPhase2', SCHEDULED)), 'TERMINATED');
    expect(await detailsOf(over)).toEqual(DETAILS.split('\n'));
    const typedSearchAttributes = new TypedSearchAttributes([]);
    const unborn = codec(() =>
      Promise.resolve({ raw: {}, status: { name: 'RUNNING' }, typedSearchAttributes }),
    );
    expect(await detailsOf(unborn)).toEqual(DETAILS.split('\n'));
  });

  test('come without it from a server that does not answer', async () => {
    expect(await detailsOf(codec(() => Promise.reject(new Error('14 UNAVAILABLE'))))).toEqual(
      DETAILS.split('\n'),
    );
  });

  test('do not wait for a server that hangs', async () => {
    expect(await detailsOf(codec(() => new Promise(() => undefined), 1))).toEqual(DETAILS.split('\n'));
  });
});

describe('passes as it is', () => {
  test.each<[string, Payload, object | undefined]>([
    ['a result', defaultPayloadConverter.toPayload({ sector: 't01000/7' }), CONTEXT],
    ['details of another program', answerOf(DETAILS), CONTEXT],
    ['what only looks like details', { data: Buffer.from('{"currentDetails": ') }, CONTEXT],
    ['what names them in another way', defaultPayloadConverter.toPayload({ currentDetails: 7 }), CONTEXT],
    ['nothing', {}, CONTEXT],
    ['what an activity is given', answerOf(marked(DETAILS, RUN)), { ...CONTEXT, type: 'activity' }],
    ['what is no workflow’s', answerOf(marked(DETAILS, RUN)), undefined],
  ])('%s', async (_, payload, context) => {
    const server = lying(pending('commitPhase2', SCHEDULED));
    const [answer] = await server.codec.encode([payload], context as typeof CONTEXT | undefined);
    expect(answer).toBe(payload);
    expect(server.asked).toEqual([]);
  });

  test('what comes in', async () => {
    const payloads = [answerOf(marked(DETAILS, RUN))];
    expect(await lying().codec.decode(payloads)).toBe(payloads);
  });
});
