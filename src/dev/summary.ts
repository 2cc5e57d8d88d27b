/** The summary that `sealflow dev` prints at its end. */
import { join } from 'node:path';
import { execa } from 'execa';
import type { SealResult } from '../contract.js';
import type { SectorStatus } from '../temporal/ask/sector-status.js';
import type { Engine } from '../engines/engine.js';
import { PHASE_IDS } from '../phases.js';
import { UserError } from '../user-error.js';
import { bytes } from '../units.js';

/** Checks the proof of a receipt in a process of its own. @throws UserError when it is not valid. */
export async function verifyReceipt(
  { command: [program, ...first], environment }: Engine,
  receipt: string,
): Promise<void> {
  try {
    await execa(program, [...first, 'verify', receipt], { env: environment, extendEnv: false });
  } catch (error) {
    throw new UserError(`the proof of ${receipt} does not verify: ${(error as Error).message}`, {
      exitCode: 1,
    });
  }
}

/** The lines about one sealed sector; to be printed after its proof was verified. */
export function describeSealed(result: SealResult, status: SectorStatus, storageNode: string): string[] {
  const seconds = PHASE_IDS.map((id) => `${id} ${status.phases[id].seconds?.toFixed(1) ?? '?'}`).join('  ');
  const proofBytes = Buffer.from(result.proof, 'base64').length;
  return [
    `${result.sector} is sealed`,
    `  commR     ${Buffer.from(result.commR, 'base64').toString('hex')}`,
    `  proof     ${proofBytes} bytes, verified by a separate process from the receipt alone`,
    `  replica   ${join(storageNode, result.storage.sealed)}`,
    `  receipt   ${join(storageNode, result.storage.receipt)}`,
    `  freed     ${bytes(result.bytesFreed)} of scratch`,
    `  seconds   ${seconds}`,
  ];
}
