import { expect, test } from 'vitest';
import { completed, marked, runOf } from '../../../src/workflows/core/completed-details.js';

const DETAILS = '**t01000/7**\n\n> what a person must do\n\n| phase |';

test('marked details tell of which run they are, until they are completed', () => {
  const details = marked(DETAILS, '0198-run');
  expect(runOf(details)).toBe('0198-run');
  expect(completed(details, [])).toBe(DETAILS);
  expect(runOf(DETAILS)).toBeUndefined();
});

test('the mark is a line that Markdown does not show', () => {
  expect(marked(DETAILS, '0198-run')).toBe(`${DETAILS}\n\n[run]: 0198-run`);
});

test('only the last line is a mark: what programs say may look like one', () => {
  expect(runOf(marked('a\n\n[run]: other\n\nb', 'own'))).toBe('own');
  expect(runOf('a\n\n[run]: other\n\nb')).toBeUndefined();
});

test('each sentence is a quotation below the first line, whatever is in it', () => {
  expect(completed(marked(DETAILS, 'r'), ['P4 waits: a\n\n# b | c', 'P5 on 10.0.0.5: copying'])).toBe(
    [
      '**t01000/7**',
      '',
      '> P4 waits: a # b / c',
      '',
      '> P5 on 10.0.0.5: copying',
      '',
      '> what a person must do',
      '',
      '| phase |',
    ].join('\n'),
  );
});
