import { expect, test } from 'vitest';
import { gigabytes } from '../../src/units.js';

test.each([
  [5.3e12, '5300.0 GB'],
  [34_359_738_368, '34.4 GB'],
  [264_117_248, '264 MB'],
  [30_720, '30.7 kB'],
  [0, '0 B'],
])('%d bytes as people read them', (bytes, text) => {
  expect(gigabytes(bytes)).toBe(text);
});
