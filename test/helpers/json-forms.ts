/** What a command prints with `--json`, against the forms that docs/schemas publishes. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { JSON_FORMS } from '../../src/cli/json-forms.js';

/** Each line has one of the command's forms, and no field beside. @returns the values */
export function expectForms(command: string, stdout: string): unknown[] {
  const forms = JSON_FORMS[command as keyof typeof JSON_FORMS];
  const values = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
  for (const value of values) {
    const fits = forms.some((form) => isDeepStrictEqual(form.safeParse(value).data, value));
    expect(fits, `${command}: ${JSON.stringify(value)}`).toBe(true);
  }
  return values;
}
