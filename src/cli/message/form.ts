/** What `sealflow message --json` prints, one line a message. */
import { z } from 'zod';

const request = z.object({
  method: z.string().describe("of a node's JSON-RPC, version 1"),
  params: z.array(z.unknown()).describe('a word in capitals stands for what `is` explains'),
});

export const messageForm = z.object({
  message: z.enum(['precommit', 'prove-commit']),
  sectors: z.array(z.string()).describe('`t01000/7`, in the order in which they are in the message'),
  to: z.string().describe("the miner's address"),
  method: z.int(),
  methodName: z.string(),
  params: z.object({
    hex: z.string().regex(/^([0-9a-f]{2})+$/),
    base64: z.string(),
    decoded: z.record(z.string(), z.unknown()).describe("the same as Filecoin's Go types write it in JSON"),
  }),
  landBy: z
    .int()
    .optional()
    .describe('of a pre-commit: the last epoch at which it may be on chain; later a ticket is too old'),
  value: z
    .object({ is: z.string(), ask: z.array(request) })
    .describe('what must go with it is known to the chain only: what it is, and what to ask a node'),
});

export type MessageForm = z.infer<typeof messageForm>;
export type MessageKind = MessageForm['message'];
