/** The one place where the process ends. Exit codes: 0 done, 1 failed, 2 wrong use. */
import { Command, CommanderError } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { allMountsIdle } from '../mounts/mounts.js';
import { UserError } from '../user-error.js';
import { VERSION } from '../version.js';
import { abortCommand } from './commands/abort.js';
import { devCommand } from './commands/dev.js';
import { doctorCommand } from './commands/doctor.js';
import { healthCommand } from './commands/health.js';
import { orchestratorCommand } from './commands/orchestrator.js';
import { retryCommand } from './commands/retry.js';
import { seedCommand } from './commands/seed.js';
import { setupCommand } from './commands/setup.js';
import { startCommand } from './commands/start.js';
import { statusCommand } from './commands/status.js';
import { workerCommand } from './commands/worker.js';

const program = new Command('sealflow')
  .description('durable sealing of Filecoin sectors on Temporal')
  .version(VERSION)
  .showSuggestionAfterError()
  .showHelpAfterError('(sealflow --help shows the commands)')
  .exitOverride();

for (const createCommand of [
  devCommand,
  workerCommand,
  orchestratorCommand,
  startCommand,
  statusCommand,
  seedCommand,
  retryCommand,
  abortCommand,
  setupCommand,
  doctorCommand,
  healthCommand,
]) {
  program.addCommand(createCommand().copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}
await end();

/** Sockets and timers of libraries must not keep a command alive that has done its work. */
async function end(): Promise<never> {
  for (let looks = 0; looks < 20 && !allMountsIdle(); looks++) await sleep(50);
  // Node waits for its threads before it exits, so for a mount that hangs: then it ends as a signal ends it.
  if (!allMountsIdle()) {
    process.removeAllListeners('SIGTERM');
    process.kill(process.pid, 'SIGTERM');
    await sleep(10_000);
  }
  process.exit();
}

function tell(error: unknown): number {
  // Commander has said it already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UserError) {
    process.stderr.write(`sealflow: ${error.message}\n`);
    if (error.hint) process.stderr.write(`  ${error.hint}\n`);
    return error.exitCode;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(
    `sealflow: unexpected error: ${process.env['SEALFLOW_DEBUG'] ? (stack ?? message) : message}\n`,
  );
  if (!process.env['SEALFLOW_DEBUG']) process.stderr.write('  SEALFLOW_DEBUG=1 shows where\n');
  return 1;
}
