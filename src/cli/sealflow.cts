#!/usr/bin/env node
/**
 * The program: gives Node enough file-system threads, then loads the rest. They are made at the first file that is read
 * without waiting, and that is ES modules being loaded; so this has to come before, and must not be one itself (tried with
 * Node 20: set in the first line of an ES module it changes nothing).
 *
 * A mount that hangs holds two of them (src/mounts): with Node's four, two such mounts would stop the process.
 */
const THREADS = 64;

const given = Number(process.env['UV_THREADPOOL_SIZE']) || 0;
process.env['UV_THREADPOOL_SIZE'] = String(Math.max(THREADS, given));
void import('./main.js');
