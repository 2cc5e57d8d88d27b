/** A program of an operator's own that answers for the chain: one of a test, in sh. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ChainError } from '../../src/chain/chain.js';
import { CommandChain } from '../../src/chain/command.js';
import { epochAt, NETWORKS, type Network } from '../../src/chain/network.js';
import { temporaryDirectory } from './temporary.js';

export const MAINNET = NETWORKS['mainnet'] as Network;
export const epochNow = (): number => epochAt(MAINNET, Date.now());

export class Program {
  private constructor(
    readonly directory: string,
    readonly path: string,
  ) {}

  static async make(): Promise<Program> {
    const directory = await temporaryDirectory();
    return new Program(directory, join(directory, 'chain'));
  }

  /** @param text without the line that names its interpreter */
  async write(text: string): Promise<void> {
    await writeFile(this.path, `#!/bin/sh\n${text}\n`);
    await chmod(this.path, 0o755);
  }

  /** @param body with its question in $Q */
  async chain(
    body: string,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<CommandChain> {
    await this.write(`Q=$(cat)\necho "$Q" >>'${this.directory}/asked'\n${body}`);
    return new CommandChain(MAINNET, { command: [this.path, 'an argument'], timeoutMs: 5_000, ...options });
  }

  /** The questions so far. */
  async asked(): Promise<unknown[]> {
    const lines = (await readFile(join(this.directory, 'asked'), 'utf8')).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as unknown);
  }
}

/** @returns what a question has failed with */
export async function failed(asking: Promise<unknown>): Promise<string> {
  const error = await asking.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ChainError);
  return (error as Error).message;
}
