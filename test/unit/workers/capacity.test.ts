import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FoundEngine } from '../../../src/engines/find.js';
import { parseConfig } from '../../../src/config.js';
import { cacheDir, groupDirectories, type GroupDirectory } from '../../../src/paths.js';
import { scratchBytes, type EnginePhaseId } from '../../../src/phases.js';
import { Capacity } from '../../../src/workers/capacity.js';
import type { Gauges } from '../../../src/workers/gauges.js';
import type { Scratch } from '../../../src/group/scratch.js';
import { RoomWatch } from '../../../src/workers/room-watch.js';
import { writeAttempt } from '../../helpers/attempts.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const engine = (sector: string, phase: EnginePhaseId): FoundEngine => ({
  sector,
  attempt: { epoch: 1, phase, number: 1, at: `1/${phase}-1`, directory: `/sealer/${sector}/1/${phase}-1` },
  process: { pid: 1, startTime: 1 },
});

let logged: string[];
let gauged: string[];
const record = (message: string): void => void logged.push(message);
const log = { info: record, warn: record };
const gauges: Gauges = {
  slots: (pool, taken, size) => void gauged.push(`${pool} ${taken}/${size}`),
  room: (hasRoom) => void gauged.push(`room ${hasRoom}`),
  scratch: (free, reserved) => void gauged.push(`scratch ${free > 0} ${reserved}`),
  served: () => undefined,
  drained: () => undefined,
};
beforeEach(() => {
  [logged, gauged] = [[], []];
});

const HOST_TOML = `
scheduler_url = "http://10.10.19.17:3456"
local_dir = "/sealer"
group_id = [1]
sector_size = 2048
ip = "10.10.19.17"
[engine]
reserved_cores = 0
`;

/** With a slot for P1, and two for P1 and P4. */
function capacity(): Capacity {
  const text = `${HOST_TOML}[[worker]]
num = 1
supported_phase = ["PreCommitPhase1"]
[[worker]]
num = 2
supported_phase = ["PreCommitPhase1", "CommitPhase2"]
`;
  const config = parseConfig(text, 'config.toml');
  return new Capacity({
    config,
    environment: {},
    findEngines: () => Promise.resolve([]),
    openGroups: () => Promise.resolve([]),
    gauges,
    log,
  });
}

describe('a drained host', () => {
  const since = new Date('2026-11-29T14:03:20Z');
  const work = (number: number) => ({ phase: 'P1' as const, sector: `s-t01-${number}` });
  const idle = ['drained, and nothing is at work'];

  test('takes nothing in any pool until it is drained no more, and says once that nothing is at work', () => {
    const host = capacity();
    const enter = () => host.pools.map(({ taken }, i) => taken.enter(work(i)));
    const busy = enter();
    host.setDrained(since);
    expect([host.drained, enter(), logged]).toEqual([since, [undefined, undefined], []]);
    for (const slot of busy) slot?.leave();
    expect(logged).toEqual(idle);
    host.setDrained(new Date(since));
    for (const { taken } of host.pools) taken.pump();
    expect([enter(), logged]).toEqual([[undefined, undefined], idle]);

    host.setDrained(undefined);
    expect(host.drained).toBeUndefined();
    for (const slot of enter()) slot?.leave();
    expect(logged).toEqual(idle);
    host.setDrained(since);
    expect(logged).toEqual([...idle, ...idle]);
  });
});

test('pools are told with what is taken; a full one, when its first engine is expected to end', () => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const host = capacity();
  const left = [
    { phase: 'P1' as const, ms: 9_000 },
    { phase: 'P1' as const, ms: 5_000 },
    { phase: 'P4' as const, ms: 2_000 },
  ];
  const [one, two] = [
    { phases: ['P1'], slots: 1, taken: 0 },
    { phases: ['P1', 'P4'], slots: 2, taken: 1 },
  ];
  host.pools[1]?.taken.enter({ phase: 'P4', sector: 's-t01-3' });
  expect(host.describePools(left)).toEqual([one, two]);
  host.pools[0]?.taken.enter({ phase: 'P1', sector: 's-t01-1' });
  expect(host.describePools(left)[0]).toEqual({ ...one, taken: 1, freeAbout: new Date(1_005_000) });
  host.pools[1]?.taken.enter({ phase: 'P1', sector: 's-t01-2' });
  expect(host.describePools(left)[1]).toEqual({ ...two, taken: 2, freeAbout: new Date(1_002_000) });
  expect(host.describePools([])[0]).toEqual({ ...one, taken: 1 });
});

describe('engines at work that no task waits for', () => {
  const taken = ({ pools }: Capacity): number[] => pools.map((pool) => pool.taken.taken);

  test('take slots in the pools of their phase, free ones first', () => {
    const host = capacity();
    const all = [engine('s-t01-1', 'P1'), engine('s-t01-2', 'P1'), engine('s-t01-3', 'P4')];
    host.setEngines(all, all);
    expect(taken(host)).toEqual([1, 2]);
    expect(gauged).toContain('P1+P4 2/2');
    // An engine stays in the pool that counts it already.
    host.setEngines(all, all.slice(1));
    expect(taken(host)).toEqual([0, 2]);
    host.setEngines([], []);
    expect(taken(host)).toEqual([0, 0]);
  });

  test('take no slot if their phase is not served', () => {
    const host = capacity();
    host.setEngines([], [engine('s-t01-1', 'P2')]);
    expect(taken(host)).toEqual([0, 0]);
  });
});

describe('room for a new sector', () => {
  let group: GroupDirectory;
  let full: string | undefined;
  let atWork: Set<string>;
  let room: RoomWatch;
  beforeEach(async () => {
    group = { root: await temporaryDirectory(), subdirectory: 'here' };
    for (const path of groupDirectories(group)) await mkdir(path);
    [full, atWork] = ['no room', new Set()];
    const scratch = {
      shortage: () => Promise.resolve(full),
      measure: () => Promise.resolve({ free: 1, reserved: scratchBytes('2KiB'), sectors: 1 }),
    } as unknown as Scratch;
    const openGroups = () => Promise.resolve([group]);
    room = new RoomWatch({
      scratch,
      openGroups,
      atWork: () => atWork,
      gauges,
      log,
      onChange: () => undefined,
    });
  });

  test('that is missing is known since it is; P1 is not polled until there is room', async () => {
    expect(room.isOpen()).toBe(true);
    expect(room.noRoom).toBeUndefined();
    await room.refresh();
    const first = room.noRoom;
    full = 'still no room';
    await room.refresh();
    expect(room.noRoom).toEqual({ reason: full, since: first?.since });
    expect(room.isOpen()).toBe(false);
    full = undefined;
    await room.refresh();
    expect(room.isOpen()).toBe(true);
    expect(room.noRoom).toBeUndefined();
    expect(gauged).toContain('room false');
    expect(gauged.slice(gauged.lastIndexOf('room false'))).toContain('room true');
  });

  test('that is missing does not block a sector that was begun and waits for its P1', async () => {
    const sector = join(cacheDir(group), 's-t01000-7');
    await mkdir(sector);
    const isOpen = async (): Promise<boolean> => {
      await room.refresh();
      return room.isOpen();
    };
    // A directory without a claim is an abandoned reservation.
    expect(await isOpen()).toBe(false);
    await mkdir(join(sector, '1'));
    expect(await isOpen()).toBe(true);
    atWork.add('s-t01000-7');
    expect(await isOpen()).toBe(false);
    atWork.clear();
    const { directory } = await writeAttempt(sector, '1/P1-1', { result: {} });
    expect(await isOpen()).toBe(false);
    await rm(join(directory, 'result.json'));
    expect(await isOpen()).toBe(true);
  });

  test('that is missing does not block a sector that cannot be read', async () => {
    const sector = join(cacheDir(group), 's-t01000-7');
    await mkdir(join(sector, '1'), { recursive: true });
    await writeFile(join(sector, '1/epoch.json'), '{"v":99}');
    await room.refresh();
    expect(room.isOpen()).toBe(true);
  });

  test('that cannot be measured is logged once, and the last result stays', async () => {
    await room.refresh();
    await rm(join(group.root, 'nfs/here/cache'), { recursive: true });
    for (let i = 0; i < 3; i++) await room.refresh();
    expect(logged).toEqual([expect.stringMatching(/^room of local_dir: ENOENT/)]);
    expect(room.noRoom?.reason).toBe('no room');
  });

  test('is checked by one task at a time', async () => {
    const order: string[] = [];
    const task = async (name: string): Promise<void> => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    };
    const failing = room.oneAtATime(() => Promise.reject(new Error('x')));
    await Promise.all([
      expect(failing).rejects.toThrow('x'),
      ...['a', 'b'].map((name) => room.oneAtATime(() => task(name))),
    ]);
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  test('is measured once more when a refresh is requested during a refresh', async () => {
    const refreshes = [room.refresh(), room.refresh()];
    full = undefined;
    await Promise.all(refreshes);
    expect(room.noRoom).toBeUndefined();
  });
});

test.each([
  ['with P1 measures room', 'PreCommitPhase1", "CommitPhase2', 1],
  ['without P1 does not', 'PreCommitPhase2", "CommitPhase2', 0],
])('a host %s', async (_, phases, expected) => {
  const text = `${HOST_TOML}[[worker]]
num = 1
supported_phase = ["${phases}"]
`;
  let measured = 0;
  const openGroups = (): Promise<GroupDirectory[]> => {
    measured += 1;
    return Promise.resolve([]);
  };
  const config = parseConfig(text, 'config.toml');
  const findEngines = () => Promise.resolve([]);
  await new Capacity({ config, environment: {}, findEngines, openGroups, gauges, log }).refreshRoom();
  expect(measured).toBe(expected);
});
