/** The one place where the process ends. Exit codes: 0 done, 1 failed, 2 wrong use. */
import { Command, CommanderError } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { allMountsIdle } from '../mounts/mounts.js';
import { UserError } from '../user-error.js';
import { VERSION } from '../version.js';
import { printProblem } from './process.js';

const program = new Command('sealflow')
  .description('durable sealing of Filecoin sectors on Temporal')
  .version(VERSION)
  .showSuggestionAfterError()
  .showHelpAfterError('(sealflow --help shows the commands)')
  .exitOverride();

/** Only the one that is asked for is loaded: what the others need would stay in a worker's memory for months (15 MB). */
const COMMANDS: Record<string, () => Promise<Command>> = {
  dev: async () => (await import('./commands/dev.js')).devCommand(),
  worker: async () => (await import('./commands/worker.js')).workerCommand(),
  orchestrator: async () => (await import('./commands/orchestrator.js')).orchestratorCommand(),
  start: async () => (await import('./commands/start.js')).startCommand(),
  status: async () => (await import('./commands/status.js')).statusCommand(),
  seed: async () => (await import('./commands/seed.js')).seedCommand(),
  retry: async () => (await import('./commands/retry.js')).retryCommand(),
  cancel: async () => (await import('./commands/cancel.js')).cancelCommand(),
  abort: async () => (await import('./commands/abort.js')).abortCommand(),
  landed: async () => (await import('./commands/landed.js')).landedCommand(),
  drain: async () => (await import('./commands/drain.js')).drainCommand(),
  setup: async () => (await import('./commands/setup.js')).setupCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
  health: async () => (await import('./commands/health.js')).healthCommand(),
};

const asked = process.argv[2] ?? '';
// Whoever asks for none of them is shown them all.
const loaded = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
for (const name of loaded) {
  const command = await COMMANDS[name]?.();
  if (command) program.addCommand(command.copyInheritedSettings(program));
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

/** With its causes: the SDK's own words say little more than which call has failed. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

function tell(error: unknown): number {
  // Commander has said it already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UserError) {
    printProblem(error);
    return error.exitCode;
  }
  const { stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(
    `sealflow: unexpected error: ${process.env['SEALFLOW_DEBUG'] ? (stack ?? describe(error)) : describe(error)}\n`,
  );
  if (!process.env['SEALFLOW_DEBUG']) process.stderr.write('  SEALFLOW_DEBUG=1 shows where\n');
  return 1;
}
