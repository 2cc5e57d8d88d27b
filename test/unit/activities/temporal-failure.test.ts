/** Errors become Temporal failures: the type of each, and how much of it is retained. */
import {
  ActivityFailure,
  ApplicationFailureCategory,
  DefaultFailureConverter,
  defaultPayloadConverter as payloadConverter,
  RetryState,
} from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { toApplicationFailure, toSealError } from '../../../src/activities/temporal-failure.js';
import { TooNewError } from '../../../src/contract.js';
import { FAILURES, isFailureType, type FailureType } from '../../../src/failures.js';
import { NotOfGroupError } from '../../../src/group/marker.js';
import { MountWrongError } from '../../../src/mounts/guard.js';
import { MountHungError } from '../../../src/mounts/mounts.js';
import { SealError } from '../../../src/seal-error.js';
import { NotOursError } from '../../../src/sector-directory/remove-tree.js';
import { OwnDirectoryError } from '../../../src/storage/own-directory.js';
import { failureOf } from '../../../src/workflows/failure-of.js';
import { errnoError } from '../../helpers/errno.js';

const TYPES = Object.keys(FAILURES) as FailureType[];
const RECOVERIES = [
  'hand back',
  'reschedule',
  'retry',
  'retry counted',
  'step back',
  'new ticket',
  'attention',
  'await landed',
  'fail',
];
const HOST = '10.0.0.1';

describe('every failure type', () => {
  test.each(TYPES)('%s has a meaning, a hint, and something that follows', (type) => {
    const { recovery, meaning, hint } = FAILURES[type];
    expect(RECOVERIES).toContain(recovery);
    expect(meaning.length).toBeGreaterThan(10);
    expect(hint).not.toBe('');
    for (const text of [meaning, hint]) expect(text).not.toMatch(/\n|\.$/);
  });

  test.each(TYPES)('%s passes from the activity to the workflow', (type) => {
    const details = { at: '1/P2-3', host: HOST, from: 'P1', recorded: 3 } as const;
    const thrown = toApplicationFailure(new SealError(type, 'why', details));
    expect(thrown.nonRetryable).toBe(true);
    const { NON_RETRYABLE_FAILURE } = RetryState;
    const failed = new ActivityFailure('failed', 'preCommitPhase1', '1', NON_RETRYABLE_FAILURE, 'w', thrown);
    expect(failureOf(failed)).toEqual({ type, message: 'why', details });
  });

  test.each(
    ['toString', '__proto__', 'constructor', '', undefined, 7, 'noslot', ['NoSlot']].map((type) => [type]),
  )('is not %j', (type) => {
    expect(isFailureType(type)).toBe(false);
  });
});

describe('what counts as a fault', () => {
  const isBenign = (type: FailureType, delayMs?: number): boolean =>
    toApplicationFailure(new SealError(type, 'why'), delayMs).category === ApplicationFailureCategory.BENIGN;

  test.each(TYPES)('of what the workflow deals with: %s', (type) => {
    expect(isBenign(type)).toBe(
      ['reschedule', 'await landed', 'new ticket'].includes(FAILURES[type].recovery),
    );
  });

  test.each(TYPES)('of what is retried at the server: %s', (type) => {
    expect(isBenign(type, 1500)).toBe(FAILURES[type].recovery !== 'retry counted');
  });
});

test('with a delay Temporal retries it', () => {
  expect(toApplicationFailure(new SealError('NoSlot', 'why'), 1500)).toMatchObject({
    type: 'NoSlot',
    message: 'why',
    nextRetryDelay: 1500,
    nonRetryable: false,
  });
});

describe('an error means', () => {
  const hung = new MountHungError('/sealer', new Date(0));
  test.each<readonly [string, Error, FailureType]>([
    ['of a newer contract', new TooNewError('job', 2, 1), 'TooNew'],
    ["of a group's directory", new NotOfGroupError('x'), 'NotOfGroup'],
    ['of a mount that hangs', hung, 'MountHung'],
    ['of a wrong mount', new MountWrongError('x'), 'MountMissing'],
    ["of a node that is the group's own", new OwnDirectoryError('x'), 'MountMissing'],
    ['of what is not ours', new NotOursError('x'), 'NotOurs'],
    ...(['ENOSPC', 'EDQUOT'] as const).map((code) => [code, errnoError(code), 'NoSpace'] as const),
    ...(['ESTALE', 'ENOTCONN', 'EHOSTDOWN'] as const).map(
      (code) => [code, errnoError(code), 'MountMissing'] as const,
    ),
    ['EIO', errnoError('EIO'), 'PassingFault'],
    ['of a bug', new TypeError('x is not a function'), 'Unknown'],
  ])('%s', (_, error, type) => {
    const failed = toSealError(error, HOST);
    expect(failed).toMatchObject({ type, details: { host: HOST }, cause: error });
    expect(failed.message.startsWith(`${HOST}: `)).toBe(true);
  });

  test('its own type, if it has one', () => {
    const own = new SealError('Panic', 'why', { at: '1/P1-1' });
    expect(toSealError(own, HOST)).toBe(own);
  });
});

test('nothing of where in the program it was thrown is stored: it shows paths of the machine', () => {
  const failureConverter = new DefaultFailureConverter();
  for (const type of TYPES) {
    const thrown = toApplicationFailure(new SealError(type, 'why'), 1500);
    expect(failureConverter.errorToFailure(thrown, payloadConverter)).toMatchObject({
      message: 'why',
      stackTrace: '',
    });
  }
});

describe('its causes', () => {
  test('are retained to the root cause, as far as that is useful', () => {
    const root = errnoError('EIO');
    const failed = new SealError('MountMissing', 'x', {}, { cause: new Error('middle', { cause: root }) });
    const thrown = toApplicationFailure(failed);
    expect(thrown.cause).toMatchObject({ message: 'middle', cause: { message: root.message } });
  });

  test('are bounded in size and number', () => {
    let cause: Error | undefined;
    for (let i = 0; i < 50; i++) cause = new Error('x'.repeat(10_000), { cause });
    let bytes = 0;
    let depth = 0;
    for (
      let at = toApplicationFailure(new SealError('Unknown', 'x', {}, { cause })).cause;
      at;
      at = at.cause as Error
    ) {
      bytes += Buffer.byteLength(`${at.message}${at.stack}`);
      depth += 1;
    }
    expect(depth).toBe(5);
    expect(bytes).toBeLessThan(5 * 2 * 2048 + 1);
  });

  test('have a stack only where it may be a bug', () => {
    const stackOf = (error: Error): string | undefined =>
      toApplicationFailure(toSealError(error, HOST)).cause?.stack;
    expect(stackOf(new TypeError('x'))).toContain('temporal-failure.test');
    expect(stackOf(errnoError('EIO'))).toBe('');
  });
});

describe('a long message', () => {
  test.each(['x', 'é', '漢', '😀'])('of %s is cut between two characters', (character) => {
    const text = character.repeat(10_000);
    for (const delayMs of [undefined, 1]) {
      const { message } = toApplicationFailure(new SealError('Unknown', text), delayMs);
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096);
      const [retained = '', note] = message.split('… ');
      expect(text.startsWith(retained) && retained.length % character.length === 0).toBe(true);
      expect(note).toBe(`(${Buffer.byteLength(text)} bytes; the rest is in the log)`);
    }
  });

  test('of 4096 bytes stays as it is', () => {
    expect(toApplicationFailure(new SealError('Unknown', 'x'.repeat(4096))).message).toBe('x'.repeat(4096));
  });
});
