/** Commands that must be refused, and groups that no cluster has. */
import { expect, onTestFinished } from 'vitest';
import { command } from './in-process.js';
import { Group } from './group.js';
import { sealflow } from './sealflow.js';
import { temporaryDirectory } from './temporary.js';

/** Runs a command that must be refused with just these lines. */
export async function expectRefused(
  args: readonly string[],
  code: number,
  lines: readonly string[],
  env: NodeJS.ProcessEnv = {},
) {
  const isService = ['worker', 'orchestrator', 'dev'].includes(args[0] ?? '');
  const end = await (isService ? sealflow(args, { env }) : command(args, env));
  expect(end).toEqual({ code, stdout: '', stderr: lines.map((line) => `${line}\n`).join('') });
}

/** A group whose server is at `address`. */
export async function groupAt(address: string): Promise<Group> {
  const group = new Group(await temporaryDirectory(), 1, '2KiB', address);
  onTestFinished(() => group.end());
  await group.setUp();
  return group;
}
