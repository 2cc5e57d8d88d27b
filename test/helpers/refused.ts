/** Commands that must be refused, and groups that no cluster has. */
import { expect, onTestFinished } from 'vitest';
import { Group } from './group.js';
import { sealflow, type SealflowOptions } from './sealflow.js';
import { temporaryDirectory } from './temporary.js';

/** Runs a command that must be refused with just these lines. */
export async function expectRefused(
  args: readonly string[],
  code: number,
  lines: readonly string[],
  options?: SealflowOptions,
) {
  const end = await sealflow(args, options);
  expect(end).toEqual({ code, stdout: '', stderr: lines.map((line) => `${line}\n`).join('') });
}

/** A group whose server is at `address`. */
export async function groupAt(address: string): Promise<Group> {
  const group = new Group(await temporaryDirectory(), 1, '2KiB', address);
  onTestFinished(() => group.end());
  await group.setUp();
  return group;
}
