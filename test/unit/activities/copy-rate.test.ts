import { expect, test } from 'vitest';
import { Rate } from '../../../src/activities/copy-rate.js';

test('one sample gives no rate', () => {
  const rate = new Rate();
  expect(rate.add(1000, 0)).toBeUndefined();
  expect(rate.add(1000, 0)).toBeUndefined();
});

test('the rate is that of the last 30 seconds', () => {
  const rate = new Rate();
  let bytes = 0;
  for (let second = 0; second <= 60; second++)
    expect(rate.add((bytes += 100), second * 1000) ?? 100).toBe(100);
  let measured;
  for (let second = 61; second <= 100; second++) measured = rate.add((bytes += 10), second * 1000);
  expect(measured).toBe(10);
});

test('a stalled copy has rate 0, and a restarted one is not negative', () => {
  const rate = new Rate();
  rate.add(1000, 0);
  expect(rate.add(1000, 20_000)).toBe(0);
  expect(rate.add(0, 25_000)).toBe(0);
});
