import { readFileSync } from 'node:fs';

/** The version of sealflow, from its package.json. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

/** What workers and orchestrators call their deployment, so that the server lists their version with each of them. */
export const DEPLOYMENT = 'sealflow';
