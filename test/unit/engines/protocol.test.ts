import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { canonicalJson, digestOf, errorSchema, resultSchema } from '../../../src/engines/protocol.js';

describe('canonical JSON', () => {
  test.each([
    [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
    [{ a: { d: 1, c: [{ f: 1, e: 2 }] } }, '{"a":{"c":[{"e":2,"f":1}],"d":1}}'],
    [[3, 1, 2], '[3,1,2]'],
    [{ a: undefined, b: null }, '{"b":null}'],
    [{}, '{}'],
    [[], '[]'],
    ['a "b" \n é', '"a \\"b\\" \\n é"'],
    [1.5, '1.5'],
    [true, 'true'],
    [null, 'null'],
    [{ 10: 1, 9: 2, B: 3, a: 4 }, '{"10":1,"9":2,"B":3,"a":4}'],
  ])('of %j', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('is the same whatever the order of keys was, and whatever passed through JSON', () => {
    const value = { name: 'x', size: 3, nested: { b: [1, { d: 1, c: 2 }], a: null } };
    const turned = Object.fromEntries(Object.entries(value).reverse());
    expect(canonicalJson(turned)).toBe(canonicalJson(value));
    expect(canonicalJson(JSON.parse(JSON.stringify(value, null, 2)) as typeof value)).toBe(
      canonicalJson(value),
    );
  });

  test('is hashed by SHA-256', () => {
    const expected = createHash('sha256').update('{"a":[true,null],"b":"x"}').digest('hex');
    expect(digestOf({ b: 'x', a: [true, null] })).toBe(expected);
  });
});

describe('what the engine writes', () => {
  const result = {
    v: 1,
    phase: 'P2',
    sector: 't01000/7',
    size: '2KiB',
    inputHash: 'aa'.repeat(32),
    outputs: { commR: 'bb'.repeat(32), files: [{ name: 'sealed', size: 2048, blake3: 'cc'.repeat(32) }] },
    facts: { seconds: 1, host: 'h', startedAt: 's', endedAt: 'e', engine: '0.1.0' },
  };

  test('outputs keep keys that are not known: they are part of the digest', () => {
    const more = { ...result, outputs: { ...result.outputs, more: [1] } };
    expect(digestOf(resultSchema.parse(more).outputs)).toBe(digestOf(more.outputs));
  });

  test.each([
    ['another phase', { phase: 'P6' }],
    ['another size', { size: '1KiB' }],
    ['no input hash', { inputHash: undefined }],
    ['upper-case hex', { inputHash: 'AA'.repeat(32) }],
    ['no outputs', { outputs: undefined }],
    ['a commR that is none', { outputs: { commR: 'xx' } }],
    ['a file without digest', { outputs: { files: [{ name: 'sealed', size: 1 }] } }],
    ['no host', { facts: { ...result.facts, host: undefined } }],
  ])('a result with %s is none', (_, change) => {
    expect(resultSchema.safeParse({ ...result, ...change }).success).toBe(false);
  });

  test('an error may name the phase that repairs it', () => {
    const error = { v: 1, phase: 'P2', exit: 4, type: 'StepBack', message: 'layer 1 differs', from: 'P1' };
    expect(errorSchema.parse(error)).toMatchObject({ from: 'P1' });
    expect(errorSchema.safeParse({ ...error, from: 'P6' }).success).toBe(false);
  });
});
