/** `npm start`: installs and builds what is missing, then `sealflow dev` with the same arguments. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, ROOT } from './prepare.mjs';

prepare();
// In this very process, so that signals and exit code need no passing on.
process.argv.splice(1, 1, join(ROOT, 'dist', 'cli', 'main.js'), 'dev');
await import(pathToFileURL(process.argv[1]).href);
