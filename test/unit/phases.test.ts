import { describe, expect, test } from 'vitest';
import {
  PHASE_IDS,
  PHASES,
  phaseOfQueueName,
  scaledTimes,
  scratchBytes,
  SECTOR_SIZE_NAMES,
  SECTOR_SIZES,
  sizeOfBytes,
  TIMES,
} from '../../src/phases.js';

describe('the phase table', () => {
  test('names each phase once', () => {
    for (const names of ['queueName', 'activity', 'title'] as const) {
      expect(new Set(PHASE_IDS.map((id) => PHASES[id][names])).size).toBe(6);
    }
    for (const id of PHASE_IDS) {
      expect(PHASES[id].id).toBe(id);
      expect(phaseOfQueueName(PHASES[id].queueName)).toBe(id);
    }
    expect(phaseOfQueueName('Precommitphase1')).toBeUndefined();
  });

  test('gives larger sectors no less time, and finds a hang long before the limit', () => {
    for (const id of PHASE_IDS) {
      const { startToCloseMinutes, hangMinutes } = PHASES[id];
      const limits = SECTOR_SIZE_NAMES.map((size) => startToCloseMinutes[size]);
      expect(limits).toEqual([...limits].sort((a, b) => a - b));
      for (const size of SECTOR_SIZE_NAMES)
        expect(hangMinutes[size] * 2).toBeLessThan(startToCloseMinutes[size]);
    }
  });
});

describe('sizes', () => {
  test.each(SECTOR_SIZE_NAMES)('%s is known by its bytes', (size) => {
    expect(sizeOfBytes(SECTOR_SIZES[size])).toBe(size);
    expect(sizeOfBytes(SECTOR_SIZES[size] + 1)).toBeUndefined();
  });

  test('a 32 GiB sector needs 483.2 GiB of scratch', () => {
    expect(scratchBytes('32GiB') / 2 ** 30).toBeCloseTo(483.2, 5);
    expect(scratchBytes('2KiB')).toBe(30_925);
  });
});

describe('times', () => {
  test('are those of the table at scale 1', () => {
    expect(scaledTimes(1)).toEqual(TIMES);
  });

  test('are scaled by one factor, and stay positive whole numbers', () => {
    expect(scaledTimes(0.1).heartbeatTimeout).toBe(6_000);
    for (const ms of Object.values(scaledTimes(1e-9))) expect(ms).toBe(1);
    for (const ms of Object.values(scaledTimes(1 / 3))) expect(Number.isInteger(ms)).toBe(true);
  });
});
