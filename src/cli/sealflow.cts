#!/usr/bin/env node
/**
 * The entry point: sets the size of Node's thread pool, then loads the rest. Node creates the pool at the first
 * asynchronous file read, which is the loading of ES modules. So this file must run before and must not be an
 * ES module itself (tested with Node 20: set in the first line of an ES module, it has no effect).
 *
 * A hung mount blocks two threads (src/mounts): with Node's default of four, two hung mounts would block the process.
 */
import v8 = require('node:v8');

const THREADS = 64;

const given = Number(process.env['UV_THREADPOOL_SIZE']) || 0;
process.env['UV_THREADPOOL_SIZE'] = String(Math.max(THREADS, given));
/**
 * A worker idles for months and allocates little. While the program loads, V8 grows the young generation to 48 MB and
 * shrinks it at its own discretion; at its initial size (1 MB per semi-space) a worker is 25 MB smaller. V8 reads the
 * flag whenever the young generation would grow, so it can still be set here.
 */
if (process.argv[2] === 'worker') v8.setFlagsFromString('--semi-space-growth-factor=1');

/**
 * What libraries do that Node has deprecated is nothing that an operator can mend: gRPC's sets an IP address as the server
 * name of TLS, and each command would begin with a warning.
 */
process.noDeprecation = true;
void import('./main.js');
