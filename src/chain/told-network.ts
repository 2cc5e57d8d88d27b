/**
 * Which network a namespace's orchestrators watch. They tell the server in the name under which they poll for what sectors ask the
 * chain: so commands know the chain's clock without a node of their own (a namespace serves one chain).
 */
import { z } from 'zod';
import type { Network } from './network.js';

const told = z.object({
  network: z.object({ name: z.string(), genesis: z.number(), epochMs: z.number().positive() }),
});

/** `host#4711 {"network":{"name":"mainnet",…}}` */
export const nameWithNetwork = (identity: string, { name, genesis, epochMs }: Network): string =>
  `${identity} ${JSON.stringify({ network: { name, genesis, epochMs } })}`;

/** @returns undefined if the name tells none: an orchestrator of an older version */
export function networkOfName(name: string): Network | undefined {
  try {
    return told.parse(JSON.parse(name.slice(name.indexOf(' ') + 1))).network;
  } catch {
    return undefined;
  }
}
