/** Runs one command line. Exit codes: 0 success, 1 failure, 2 usage error. */
import { Command, CommanderError } from 'commander';
import { UserError } from '../user-error.js';
import { VERSION } from '../version.js';
import { printProblem } from './process.js';

/** Only the requested command is loaded: a worker would hold the others' modules (15 MB) in memory for months. */
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
  priority: async () => (await import('./commands/priority.js')).priorityCommand(),
  message: async () => (await import('./commands/message.js')).messageCommand(),
  landed: async () => (await import('./commands/landed.js')).landedCommand(),
  drain: async () => (await import('./commands/drain.js')).drainCommand(),
  undrain: async () => (await import('./commands/undrain.js')).undrainCommand(),
  setup: async () => (await import('./commands/setup.js')).setupCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
  verify: async () => (await import('./commands/verify.js')).verifyCommand(),
  health: async () => (await import('./commands/health.js')).healthCommand(),
};

/** Commands that change nothing: they end when nobody reads what they print. */
export const ONLY_TELL: ReadonlySet<string> = new Set(['status', 'message', 'doctor', 'verify', 'health']);

/** For tests that try each of them. */
export const commandNames = (): string[] => Object.keys(COMMANDS);

/**
 * Runs `sealflow <args>` in this process and prints what it has to say. A command that finds something wrong, without an
 * error of its own, sets `process.exitCode`.
 * @returns the exit code
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  const program = new Command('sealflow')
    .description('durable sealing of Filecoin sectors on Temporal')
    .version(VERSION)
    .showSuggestionAfterError()
    .showHelpAfterError('(sealflow --help lists the commands)')
    .exitOverride();
  const [requested = ''] = args;
  // Anything else needs the list of all commands for its help or error text.
  const loaded = Object.hasOwn(COMMANDS, requested) ? [requested] : Object.keys(COMMANDS);
  for (const name of loaded) {
    const command = await COMMANDS[name]?.();
    if (command) program.addCommand(command.copyInheritedSettings(program));
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error);
  }
}

/** Prints the error. @returns the exit code */
function report(error: unknown): number {
  // Commander has already printed it; help and version are not errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UserError) {
    printProblem(error);
    return error.exitCode;
  }
  const { stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(
    `sealflow: unexpected error: ${process.env['SEALFLOW_DEBUG'] ? (stack ?? describe(error)) : describe(error)}\n`,
  );
  if (!process.env['SEALFLOW_DEBUG']) process.stderr.write('  SEALFLOW_DEBUG=1 prints the stack trace\n');
  return 1;
}

/** Includes the causes: the SDK's own message usually only names the call that failed. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}
