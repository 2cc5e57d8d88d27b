import { expect, test } from 'vitest';
import { Rate } from '../../../src/activities/copy-rate.js';

test('one look tells no rate', () => {
  const rate = new Rate();
  expect(rate.add(1000, 0)).toBeUndefined();
  expect(rate.add(1000, 0)).toBeUndefined();
});

test('it is that of the last half minute', () => {
  const rate = new Rate();
  let bytes = 0;
  for (let second = 0; second <= 60; second++)
    expect(rate.add((bytes += 100), second * 1000) ?? 100).toBe(100);
  let told;
  for (let second = 61; second <= 100; second++) told = rate.add((bytes += 10), second * 1000);
  expect(told).toBe(10);
});

test('a copy that stalls comes to nothing, one that begins again is not negative', () => {
  const rate = new Rate();
  rate.add(1000, 0);
  expect(rate.add(1000, 20_000)).toBe(0);
  expect(rate.add(0, 25_000)).toBe(0);
});
