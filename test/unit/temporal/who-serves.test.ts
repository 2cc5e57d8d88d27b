/** What hosts tell of themselves, and what follows from it for a phase, a stop, and the worker of a config. */
import { describe, expect, test } from 'vitest';
import type { HostStatement } from '../../../src/host-statement.js';
import { toldHost } from '../../../src/temporal/ask/who-serves.js';
import { readWaits } from '../../../src/temporal/ask/why-waiting.js';
import {
  activities,
  CONTROL,
  host,
  P4,
  pending,
  PLACE,
  SCHEDULED,
  serverWith,
} from '../../helpers/asked-server.js';

describe('by what hosts tell', () => {
  const drained = new Date('2026-11-01T06:30:00Z');
  const raw = activities(pending('commitPhase2', SCHEDULED));
  const why = async (...hosts: [HostStatement, number][]): Promise<string | undefined> =>
    (await readWaits(raw, PLACE, serverWith([P4], {}, hosts).whoServes))[0]?.why;

  test('one that serves the phase is enough', async () => {
    expect(await why([host('10.0.0.1'), 30], [host('10.0.0.2', { drained }), 10])).toBeUndefined();
  });

  test('none does: each says why, and the poll of one that has told otherwise counts for nothing', async () => {
    const obstacles = [{ phases: ['P4'] as const, reason: 'no parameters' }];
    const said = await why(
      [host('10.0.0.1', { drained }), 30],
      [host('10.0.0.2', { obstacles }), 30],
      [host('10.0.0.3'), 200],
      [host('10.0.0.4', { stopped: drained }), 1],
      [host('10.0.0.5', { configured: ['P3'] }), 1],
      [host('10.0.0.6', { size: '8MiB' }), 1],
    );
    expect(said).toMatch(
      /^nobody serves sealflow\/1\/2KiB\/CommitPhase2, scheduled since \S+Z; 10\.0\.0\.1: drained since 2026-11-01 06:30Z; 10\.0\.0\.2: no parameters; 10\.0\.0\.3 did until \S+Z; 10\.0\.0\.4 did until \S+Z$/,
    );
  });

  test('a worker that was followed by another one is not told of; the newest word of each counts', async () => {
    const before = host('10.0.0.1', { pid: 6 });
    expect(await why([before, 200], [host('10.0.0.1'), 90], [host('10.0.0.1', { drained }), 30])).toMatch(
      /CommitPhase2, scheduled since \S+Z; 10\.0\.0\.1: drained since 2026-11-01 06:30Z$/,
    );
  });

  test('an earlier word that the server has stamped anew, as its poll has ended, is not the newest', async () => {
    const told = (minute: string) => new Date(`2026-11-01T06:${minute}:00Z`);
    const [before, now] = [
      host('10.0.0.1', { told: told('31') }),
      host('10.0.0.1', { told: told('32'), drained }),
    ];
    const expected = /CommitPhase2, scheduled since \S+Z; 10\.0\.0\.1: drained since 2026-11-01 06:30Z$/;
    expect(await why([before, 10], [now, 60])).toMatch(expected);
    expect(await why([before, 60], [now, 10])).toMatch(expected);
    // It lives as long as any of its polls is recent.
    expect(await why([before, 10], [now, 130])).toMatch(expected);
    expect(
      await why([host('10.0.0.1', { told: told('31'), drained }), 10], [{ ...now, drained: undefined }, 60]),
    ).toBe(undefined);
  });

  test('hosts with the same reason are named together', async () => {
    expect(await why([host('10.0.0.2', { drained }), 30], [host('10.0.0.1', { drained }), 30])).toMatch(
      /Z; 10\.0\.0\.1 10\.0\.0\.2: drained since 2026-11-01 06:30Z$/,
    );
  });

  test('all busy: how many slots, until when about; and no room', async () => {
    const until = (minute: string) => new Date(`2026-11-01T09:${minute}:00Z`);
    const pools = (freeAbout?: Date) => [
      { phases: ['P4'] as const, slots: 2, taken: 2, ...(freeAbout && { freeAbout }) },
    ];
    const service = async (...hosts: HostStatement[]) => {
      const told = hosts.map((one): [HostStatement, number] => [one, 1]);
      const { busy, noRoom } = await serverWith([], {}, told).whoServes.phase(
        1,
        '2KiB',
        hosts[0]?.configured[0] ?? 'P4',
      );
      return { busy, noRoom };
    };
    const at = (ip: string, minute?: string) =>
      host(ip, { configured: ['P4'], pools: pools(minute ? until(minute) : undefined) });
    expect(await service(at('10.0.0.1', '40'), at('10.0.0.2', '30'))).toEqual({
      busy: { slots: 4, freeAbout: until('30').toISOString() },
    });
    expect(await service(at('10.0.0.1'))).toEqual({ busy: { slots: 2 } });
    expect(await service(at('10.0.0.1'), host('10.0.0.2', { configured: ['P4'] }))).toEqual({});
    const full = host('10.0.0.1', { configured: ['P1'], noRoom: { reason: 'no room', since: drained } });
    expect(await service(full)).toMatchObject({ noRoom: 'no room' });
    expect(await service(full, host('10.0.0.2', { configured: ['P1'] }))).toEqual({});
  });
});

describe('a worker that tells nothing, of an older version,', () => {
  const busy = [{ phases: ['P1' as const], slots: 2, taken: 2 }];
  const noRoom = { reason: 'no room', since: new Date('2026-11-01T06:30:00Z') };
  const P1 = '2 sealflow/1/2KiB/PreCommitPhase1';
  const service = async (...served: string[]) => {
    const told = host('10.0.0.2', { configured: ['P1'], pools: busy, noRoom });
    return await serverWith(served, {}, [[told, 1]]).whoServes.phase(1, '2KiB', 'P1');
  };

  test('may have a free slot and room, though all others have none', async () => {
    expect(await service()).toEqual({ hosts: ['10.0.0.2'], busy: { slots: 2 }, noRoom: 'no room', not: [] });
    expect(await service(P1)).toEqual({ hosts: ['10.0.0.1', '10.0.0.2'], not: [] });
  });
});

test('a lack of room concerns P1 alone, and slots of other phases are not those of this one', async () => {
  const noRoom = { reason: 'no room', since: new Date() };
  const pools = [
    { phases: ['P1' as const], slots: 1, taken: 0 },
    { phases: ['P4' as const], slots: 2, taken: 2 },
  ];
  const told = host('10.0.0.2', { configured: ['P1', 'P4'], pools, noRoom });
  const { whoServes } = serverWith([], {}, [[told, 1]]);
  expect(await whoServes.phase(1, '2KiB', 'P4')).toEqual({
    hosts: ['10.0.0.2'],
    busy: { slots: 2 },
    not: [],
  });
});

test('a worker that has said its last word stops no sector', async () => {
  const control = (...hosts: [HostStatement, number][]) =>
    serverWith([CONTROL], {}, hosts).whoServes.control(1);
  expect(await control([host('10.0.0.1'), 1])).toBe(true);
  expect(await control([host('10.0.0.1', { stopped: new Date() }), 1])).toBe(false);
  expect(await control([host('10.0.0.1', { pid: 6, stopped: new Date() }), 1])).toBe(true);
});

describe('the worker of a config', () => {
  const config = { ip: '10.0.0.1', size: '2KiB' as const, groups: [1] };
  const pools = [
    { slots: 1, phases: ['P4' as const], waitMs: 1 },
    { slots: 2, phases: ['P3' as const, 'P4' as const], waitMs: 1 },
  ];
  const find = (...hosts: [HostStatement, number][]) =>
    toldHost(serverWith([], {}, hosts).client, { ...config, pools });

  test('is found among the others', async () => {
    const own = host('10.0.0.1', { pid: 8 });
    expect(await find([host('10.0.0.2'), 1], [own, 30])).toMatchObject(own);
  });

  test.each<readonly [string, HostStatement, number]>([
    ['another host', host('10.0.0.2'), 1],
    ['another sector size', host('10.0.0.1', { size: '8MiB' }), 1],
    ['fewer phases', host('10.0.0.1', { configured: ['P4'] }), 1],
    ['more phases', host('10.0.0.1', { configured: ['P1', 'P3', 'P4'] }), 1],
    ['other phases', host('10.0.0.1', { configured: ['P3', 'P5'] }), 1],
  ])('is not that of %s', async (_, other, ago) => {
    expect(await find([other, ago])).toBeUndefined();
  });

  test('that has stopped, or was silent for long, is the last that there was', async () => {
    const told = (minute: string) => new Date(`2026-11-29T06:${minute}:00Z`);
    const stopped = host('10.0.0.1', { pid: 8, told: told('32'), stopped: told('32') });
    expect(await find([host('10.0.0.1', { told: told('31') }), 200], [stopped, 1])).toMatchObject({
      pid: 8,
      isPresent: false,
      stopped: told('32'),
    });
    expect(await find([host('10.0.0.1', { pid: 9, told: told('30') }), 30], [stopped, 1])).toMatchObject({
      pid: 9,
      isPresent: true,
    });
  });
});
