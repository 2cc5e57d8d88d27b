/**
 * The test engine refuses the jobs that the real one refuses (engine/src/job.rs), so that tests do not pass with
 * others.
 */
import { expect, test } from 'vitest';
import { parseJob } from '../../fixtures/engine/job.mjs';
import { jobOf } from '../../helpers/attempts.js';

const REFUSED = expect.objectContaining({ exit: 2, type: 'BadInput' }) as Error;

/** A job of P3 with one key changed, as the engine reads it. */
const parse = (key: string, value: unknown): unknown =>
  parseJob(JSON.stringify({ ...jobOf('1/P3-1', { inputs: { P2: '../P2-1' } }), [key]: value }), 'P3');

const copy = { node: '/mnt', staging: 'a', passedOver: [] };
const shared = { limitBytesPerSec: 1, path: '/dev/shm/x' };
// As engine/src/job.rs has it.
test.each([
  ['v', 2],
  ['v', '1'],
  ['v', null],
  ['phase', 'P6'],
  ['phase', 'P2'],
  ['phase', 'toString'],
  ['sector', 't01000'],
  ['sector', 't01000/07'],
  ['sector', 't11000/7'],
  ['sector', 't01000/18446744073709551616'],
  ['size', '4KiB'],
  ['inputHash', 'xyz'],
  ['ticket', ''],
  ['ticket', 'ab'.repeat(31) + 'xy'],
  ['ticket', null],
  ['seed', 'ab'],
  ['seed', '00'.repeat(32)],
  ['seed', undefined],
  ['inputs', null],
  ['inputs', undefined],
  ['inputs', {}],
  ['inputs', { P2: '/sealer/P2-1' }],
  ['inputs', { P2: '../P2-1', P6: '../P6-1' }],
  ['earlier', '../P1-1'],
  ['earlier', ['P1-1']],
  ['earlier', ['./../P1-1']],
  ['copy', { ...copy, node: 'mnt' }],
  ...['/etc', '../x', 'a/../../x', '', 'a//b', './a', 'a/'].map(
    (staging) => ['copy', { ...copy, staging }] as const,
  ),
  ['copy', { ...copy, staging: undefined }],
  ['copy', { ...copy, limitBytesPerSec: 4_099_999.9999999995 }],
  ['copy', { ...copy, limitBytesPerSec: -1 }],
  ['copy', { ...copy, limitBytesPerSec: 2 ** 64 }],
  ['copy', { ...copy, limitBytesPerSec: null }],
  ['copy', { ...copy, shared: { ...shared, limitBytesPerSec: 0 } }],
  ['copy', { ...copy, shared: { ...shared, limitBytesPerSec: 0.5 } }],
  ['copy', { ...copy, shared: { ...shared, path: 'x' } }],
  ['cores', []],
  ['cores', [0.5]],
  ['cores', [-1]],
  ['producers', 65],
  ['producers', -1],
  ['producers', 1.5],
  ['progressEveryMs', 0],
  ['progressEveryMs', 1.5],
  ['leaseEveryMs', '2000'],
  ['leaseEveryMs', undefined],
  ['madeBy', {}],
  ['madeBy', undefined],
] as const)('a job whose %s is %j is refused', (key, value) => {
  expect(() => parse(key, value)).toThrow(REFUSED);
});

test('a copy without a target directory is refused', () => {
  const job = JSON.stringify(jobOf('1/P5-1', { inputs: { P2: '../P2-1' } }));
  expect(() => parseJob(job, 'P5')).toThrow(REFUSED);
});

test('what is not JSON is refused', () => {
  expect(() => parseJob('{"v":1', 'P3')).toThrow(REFUSED);
});

// Null for optional keys, upper case, unknown keys.
test.each([
  ['v', 0],
  ['ticket', 'AB'.repeat(32)],
  ['earlier', undefined],
  ['copy', null],
  ['copy', { ...copy, limitBytesPerSec: undefined, shared: null }],
  ['copy', { ...copy, limitBytesPerSec: 2 ** 63, shared }],
  ['cores', null],
  ['cores', [0, 5]],
  ['unknown', [1]],
])('a job whose %s is %j is taken', (key, value) => {
  expect(parse(key, value)).toMatchObject({ phase: 'P3' });
});
