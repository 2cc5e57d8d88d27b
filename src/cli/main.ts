/** The only place that exits the process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { allMountsIdle } from '../mounts/mounts.js';
import { ONLY_TELL, runCommand } from './run-command.js';

for (const stream of [process.stdout, process.stderr]) stream.on('error', onUnread);
process.exitCode = await runCommand(process.argv.slice(2));
await exit();

/** Exits even if a library still holds sockets or timers. */
async function exit(): Promise<never> {
  for (let polls = 0; polls < 20 && !allMountsIdle(); polls++) await sleep(50);
  // Node joins its threads before it exits, which a hung mount blocks forever. SIGTERM ends it anyway.
  if (!allMountsIdle()) {
    process.removeAllListeners('SIGTERM');
    process.kill(process.pid, 'SIGTERM');
    await sleep(10_000);
  }
  process.exit();
}

/**
 * Nobody reads any more, as in `sealflow status | head -1`. A command that only tells ends as others do, with what a shell
 * shows of SIGPIPE (Node ignores the signal). One that acts goes on: half a range must not depend on who listens.
 */
function onUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (ONLY_TELL.has(process.argv[2] ?? '')) process.exit(141);
}
