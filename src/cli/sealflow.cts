#!/usr/bin/env node
/**
 * The program: gives Node enough file-system threads, then loads the rest. They are made at the first file that is read
 * without waiting, and that is ES modules being loaded; so this has to come before, and must not be one itself (tried with
 * Node 20: set in the first line of an ES module it changes nothing).
 *
 * A mount that hangs holds two of them (src/mounts): with Node's four, two such mounts would stop the process.
 */
import v8 = require('node:v8');

const THREADS = 64;

const given = Number(process.env['UV_THREADPOOL_SIZE']) || 0;
process.env['UV_THREADPOOL_SIZE'] = String(Math.max(THREADS, given));
/**
 * A worker waits for months and allocates little. Node lets the space for new objects grow to 48 MB while the program loads
 * and gives it back when it pleases; at its first size (1 MB each half) a worker is 25 MB smaller. The flag is read
 * whenever that space would grow, so that it can still be set here.
 */
if (process.argv[2] === 'worker') v8.setFlagsFromString('--semi-space-growth-factor=1');

void import('./main.js');
