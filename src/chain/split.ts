/** How many sectors go into one message. */
import type { MinerMessage } from './miner-messages.js';

/** lotus's default for a batch (`MaxPreCommitBatch`): what surely fits into a block's gas. */
const MAX_SECTORS = 256;

/**
 * Nodes take no message above 64 KiB (lotus chain/messagepool `MaxMessageSize`); 512 bytes are left for addresses, amounts and
 * the signature. In hex it also fits into one argument of a command (128 KiB on Linux).
 */
const MAX_PARAMS = 64 * 1024 - 512;

/** Makes as few messages as it takes, with about as many sectors each. As lotus does, what is too much is halved. */
export function splitMessages<T>(
  sectors: readonly T[],
  message: (sectors: readonly T[]) => MinerMessage,
): { sectors: readonly T[]; message: MinerMessage }[] {
  if (sectors.length === 0) return [];
  const whole = message(sectors);
  const isSmall = sectors.length <= MAX_SECTORS && whole.params.length <= MAX_PARAMS;
  if (isSmall || sectors.length === 1) return [{ sectors, message: whole }];
  const half = Math.ceil(sectors.length / 2);
  return [sectors.slice(0, half), sectors.slice(half)].flatMap((part) => splitMessages(part, message));
}
