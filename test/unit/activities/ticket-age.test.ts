/** P1 looks at the age of its ticket when it has its slot. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailureCategory } from '@temporalio/common';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FailureDetails } from '../../../src/failures.js';
import type { SealInput } from '../../../src/contract.js';
import { durationsDir } from '../../../src/paths.js';
import type { Needs } from '../../../src/ticket.js';
import { tell } from '../../helpers/checkpoints.js';
import { createTestHost, failureFrom, HOST, type TestHost } from '../../helpers/test-host.js';

const HOUR = 3_600_000;
let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

/** A ticket of mainnet that ends after so many hours. */
function withTicket(hours: number, of = 31.5): Partial<SealInput> {
  const until = Date.now() + hours * HOUR;
  const life = { from: new Date(until - of * HOUR).toISOString(), until: new Date(until).toISOString() };
  host.seal = { ...host.seal, ticketLife: life };
  return host.seal;
}

/** P1 and P2 take so many hours here. */
const takes = (P1: number, P2: number, of = 0) => ({
  durations: {
    needs: (): Promise<Needs> => Promise.resolve({ P1: { ms: P1 * HOUR, of }, P2: { ms: P2 * HOUR, of } }),
    record: () => Promise.resolve(),
  },
});

async function expectUntouched(): Promise<void> {
  expect(existsSync(host.directory)).toBe(false);
  expect(await host.started()).toEqual([]);
}

describe('a P1 that begins', () => {
  test('is handed back when too little is left of its ticket for P1 and P2, with the sum; no room is kept', async () => {
    withTicket(6);
    const thrown = await failureFrom(host.run('P1', {}, {}, takes(5.6, 0.5, 12)));
    expect(thrown).toMatchObject({
      type: 'TicketStale',
      nonRetryable: true,
      category: ApplicationFailureCategory.BENIGN,
      details: [{ host: HOST, needsMs: 6.1 * HOUR }],
    });
    expect(thrown.message).toBe(
      `its ticket is 25.5 h old and ends in 6 h; P1 and P2 take 6.1 h on ${HOST} (P1 5.6 h as 12 before, P2 30 min as 12 before)`,
    );
    await expectUntouched();
  });

  test('begins while there is enough', async () => {
    withTicket(6.2);
    expect((await host.run('P1', {}, {}, takes(5.6, 0.5))).at).toBe('1/P1-1');
  });

  test('is handed back when its ticket has ended', async () => {
    withTicket(-3);
    const { message } = await failureFrom(host.run('P1'));
    expect(message).toContain('its ticket is 34.5 h old and has ended 3 h ago; P1 and P2 take 1 s on');
    expect(message).toContain('(P1 500 ms at best, P2 500 ms at best)');
  });

  test('says so if not even a new ticket would last so long', async () => {
    withTicket(24);
    const thrown = await failureFrom(host.run('P1', {}, {}, takes(26, 1)));
    expect(thrown).toMatchObject({ details: [{ noTicketLasts: true }] });
    expect(thrown.message).toMatch(/; no ticket lasts so long$/);
    // A new one is a little older when P1 has it.
    for (const [P1, noTicketLasts] of [
      [23.6, true],
      [23.4, undefined],
    ] as const) {
      withTicket(1);
      const { details } = await failureFrom(host.run('P1', {}, {}, takes(P1, 0)));
      expect((details as [FailureDetails])[0].noTicketLasts).toBe(noTicketLasts);
    }
  });

  test('says nothing where nobody knows when the ticket ends', async () => {
    expect((await host.run('P1', {}, {}, takes(100, 100))).at).toBe('1/P1-1');
  });

  test('goes by the server’s clock where that is known to be further than its own', async () => {
    withTicket(6);
    expect(
      await failureFrom(host.run('P1', {}, { now: Date.now() + 5 * HOUR }, takes(1, 0.5))),
    ).toMatchObject({
      type: 'TicketStale',
    });
  });

  test('is looked at again where an earlier try has left a directory without layers', async () => {
    const coresOf = () => Promise.reject(new Error('no such cores'));
    await failureFrom(host.run('P1', {}, {}, { resources: { coresOf } }));
    expect(existsSync(join(host.directory, '1'))).toBe(true);
    withTicket(1);
    expect(await failureFrom(host.run('P1', {}, {}, takes(1, 0.5)))).toMatchObject({ type: 'TicketStale' });
    expect(await host.started()).toEqual([]);
  });
});

describe('a P1 that goes on from recorded layers', () => {
  test('is never handed back', async () => {
    await tell(host, 'P1', 'crash', '1:SIGKILL');
    await failureFrom(host.run('P1'));
    withTicket(-10);
    expect((await host.run('P1', { lastReported: '1/P1-1' }, {}, takes(5, 1))).at).toBe('1/P1-2');
  });

  test('nor is one whose result is there', async () => {
    await host.seals('P1');
    withTicket(-10);
    expect((await host.run('P1', {}, {}, takes(5, 1))).at).toBe('1/P1-1');
  });
});

describe('what it took', () => {
  const needs = () => host.deps.durations.needs(host.group, '2KiB');

  test('is learned from P1 and P2 of this host, once', async () => {
    await host.seals('P1', 'P2', 'P3');
    await host.run('P1');
    expect(await needs()).toMatchObject({ P1: { of: 1 }, P2: { of: 1 } });
  });

  test('is not learned from a P1 that took over layers: it says nothing of a whole one', async () => {
    await tell(host, 'P1', 'crash', '1:SIGKILL');
    await failureFrom(host.run('P1'));
    await host.run('P1', { lastReported: '1/P1-1' });
    expect(await needs()).toMatchObject({ P1: { of: 0 } });
  });

  test('stops nothing if it cannot be noted', async () => {
    await writeFile(join(durationsDir(host.group), 'x'), '');
    const record = () => Promise.reject(new Error('the disk is full'));
    const durations = { ...takes(1, 1).durations, record };
    expect((await host.run('P1', {}, {}, { durations })).at).toBe('1/P1-1');
    expect(host.logged.join('\n')).toContain('t01000/7 P1: what it took is not noted: the disk is full');
  });
});
