/** What `sealflow dev` shows of a sector under way. */
import { expect, test } from 'vitest';
import { sectorStep } from '../../../src/dev/sector-step.js';
import type { HeartbeatDetails } from '../../../src/heartbeat.js';
import { PHASE_IDS, type PhaseId } from '../../../src/phases.js';
import type { SectorStatus } from '../../../src/temporal/ask/sector-status.js';

/** A sector with these phases done and these scheduled. */
function statusOf(
  done: PhaseId[],
  active: PhaseId[],
  more: Partial<Pick<SectorStatus, 'engines' | 'handedBack' | 'waits'>> = {},
): SectorStatus {
  const stateOf = (id: PhaseId) => (done.includes(id) ? 'done' : active.includes(id) ? 'working' : 'waiting');
  const phases = Object.fromEntries(PHASE_IDS.map((id) => [id, { state: stateOf(id), tries: 1 }]));
  return { phases, engines: [], handedBack: [], waits: [], inQueue: [], ...more } as unknown as SectorStatus;
}

const engine = (phase: PhaseId, step: string, fraction: number | null = null): HeartbeatDetails => ({
  phase,
  host: '127.0.0.1',
  at: `1/${phase}-1`,
  step,
  fraction,
});
const NO_MEMORY = {
  phase: 'P4',
  type: 'NoMemory',
  why: 'P4 needs 2.7 GB of memory: 2.0 GB available',
} as const;
const AFTER_P3: PhaseId[] = ['P1', 'P2', 'P3'];

test('a sector that waits for its seed says so, and what to type', () => {
  const status = { ...statusOf(['P1', 'P2'], []), sector: 't01000/50', state: 'waiting-for-seed' as const };
  expect(sectorStep()(status)).toBe(
    "done P1 P2; waits for its seed, the chain's randomness after the pre-commit: sealflow seed t01000/50 HEX",
  );
});

test('steps of engines, and names of phases that have none yet', () => {
  const engines = [engine('P4', 'batch 1 of 1', 0.5)];
  expect(sectorStep()(statusOf(AFTER_P3, ['P4', 'P5'], { engines }))).toBe(
    'done P1 P2 P3; P4 batch 1 of 1 50 %, P5',
  );
  expect(sectorStep()(statusOf([], ['P1']))).toBe('P1');
});

test.each([
  ['NoMemory', 'P4 needs 2.7 GB of memory: 2.0 GB available'],
  ['NoRoom', '/sealer has no room'],
  ['NoSlot', 'no free slot on 127.0.0.1'],
  ['BusyElsewhere', '1/P4-1 is running on 10.0.0.2'],
  ['MountHung', '/sealer does not answer'],
])('a phase that was handed back (%s) says why', (type, why) => {
  const handedBack = [{ phase: 'P4' as const, type, why }];
  expect(sectorStep()(statusOf(AFTER_P3, ['P4'], { handedBack }))).toBe(
    `done P1 P2 P3; P4 waits (${type}): ${why}`,
  );
});

test('it waits also while another phase is at work, and whatever its last engine has said', () => {
  const engines = [engine('P4', 'batch 1 of 1'), engine('P5', 'copying sealed', 0.25)];
  const status = statusOf(AFTER_P3, ['P4', 'P5'], { engines, handedBack: [NO_MEMORY] });
  expect(sectorStep()(status)).toBe(
    `done P1 P2 P3; P4 waits (NoMemory): ${NO_MEMORY.why}, P5 copying sealed 25 %`,
  );
});

test('a phase that nobody serves, and a workflow that no orchestrator takes, say so', () => {
  const queue = 'sealflow/1/2KiB/CommitPhase2';
  const waits = [{ phase: 'P4' as const, queue, why: `nobody serves ${queue}` }];
  expect(sectorStep()(statusOf(AFTER_P3, ['P4'], { waits }))).toBe(
    `done P1 P2 P3; P4 waits: nobody serves ${queue}`,
  );
  const orchestrator = { queue: 'sealflow', why: 'no orchestrator runs: nobody serves sealflow' };
  expect(sectorStep()(statusOf(AFTER_P3, [], { waits: [orchestrator] }))).toBe(
    'done P1 P2 P3; waits: no orchestrator runs: nobody serves sealflow',
  );
});

test('what dev itself prepares for a phase is named instead of its queue', () => {
  const waits = [{ phase: 'P4' as const, queue: 'q', why: 'nobody serves q' }];
  const step = sectorStep((phase) => (phase === 'P4' ? 'the proof parameters' : undefined));
  expect(step(statusOf(AFTER_P3, ['P4', 'P5'], { waits }))).toBe(
    'done P1 P2 P3; P4 waits for the proof parameters, P5',
  );
});

test('a host that looks again is nothing new: the reason stays until an engine speaks', () => {
  const step = sectorStep();
  const waiting = step(statusOf(AFTER_P3, ['P4'], { handedBack: [NO_MEMORY] }));
  expect(step(statusOf(AFTER_P3, ['P4']))).toBe(waiting);
  expect(step(statusOf(AFTER_P3, ['P4'], { engines: [engine('P4', 'batch 1 of 1')] }))).toBe(
    'done P1 P2 P3; P4 batch 1 of 1',
  );
  expect(step(statusOf(AFTER_P3, ['P4']))).toBe('done P1 P2 P3; P4');
});

test('what an engine said before the wait is nothing new either', () => {
  const step = sectorStep();
  const engines = [engine('P4', 'inspecting')];
  const waiting = step(statusOf(AFTER_P3, ['P4'], { engines, handedBack: [NO_MEMORY] }));
  expect(step(statusOf(AFTER_P3, ['P4'], { engines }))).toBe(waiting);
  expect(step(statusOf(AFTER_P3, ['P4'], { engines: [engine('P4', 'batch 1 of 1')] }))).toContain('batch 1');
});

test('a phase that is done waits no longer, also when it runs again after a step back', () => {
  const step = sectorStep();
  step(statusOf(AFTER_P3, ['P4'], { handedBack: [NO_MEMORY] }));
  expect(step(statusOf(['P2', 'P3'], ['P1']))).toBe('done P2 P3; P1');
  expect(step(statusOf(AFTER_P3, ['P4']))).toBe('done P1 P2 P3; P4');
});
