/** The only place that exits the process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { allMountsIdle } from '../mounts/mounts.js';
import { runCommand } from './run-command.js';

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
