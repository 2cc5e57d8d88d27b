/** docs/schemas is what commands print: `npx vitest run --project unit test/unit/cli/json-schemas.test.ts -u` writes it anew. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { JSON_FORMS, jsonSchemaOf } from '../../../src/cli/json-forms.js';

const DIRECTORY = new URL('../../../docs/schemas/', import.meta.url);
const names = Object.keys(JSON_FORMS) as (keyof typeof JSON_FORMS)[];

test.each(names)('the schema of %s is current', async (name) => {
  const path = new URL(`${name}.json`, DIRECTORY).pathname;
  await expect(`${JSON.stringify(jsonSchemaOf(name), null, 2)}\n`).toMatchFileSnapshot(path);
});

test('there is none of what is no command', () => {
  expect(readdirSync(DIRECTORY).sort()).toEqual(names.map((name) => `${name}.json`).sort());
});
