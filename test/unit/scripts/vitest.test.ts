import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failuresOf } from '../../../scripts/vitest.mjs';

const lines = (count: number): string => Array.from({ length: count }, (_, i) => `line ${i}`).join('\n');
const file = (name: string, status: string) => ({
  name: resolve(name),
  status,
  message: '',
  assertionResults: [],
});

describe('what failed, told at the end of npm test', () => {
  test('names each failed test and the beginning of its message', () => {
    const assertionResults = [
      { fullName: 'it works', status: 'passed', failureMessages: [] },
      { fullName: 'it holds', status: 'failed', failureMessages: [`expected 1\n${lines(30)}`] },
    ];
    const told = failuresOf({
      testResults: [
        file('test/unit/a.test.ts', 'passed'),
        { ...file('test/unit/b.test.ts', 'failed'), assertionResults },
      ],
    });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^test\/unit\/b\.test\.ts > it holds\n {2}expected 1\n {2}line 0\n/);
    expect(told[0]?.split('\n')).toHaveLength(13);
  });

  test('names a file that could not be loaded', () => {
    const broken = { ...file('test/unit/c.test.ts', 'failed'), message: 'SyntaxError: nothing here' };
    expect(failuresOf({ testResults: [broken] })).toEqual([
      'test/unit/c.test.ts\n  SyntaxError: nothing here',
    ]);
  });
});
