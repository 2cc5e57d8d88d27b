import { z } from 'zod';
import type { OnStep } from '../machine/on-step.js';
import type { SectorSize } from '../phases.js';
import { describeEnd, runBound } from '../machine/run-bound.js';
import { UserError } from '../user-error.js';
import type { Engine } from './engine.js';
import { isPublished } from './published/list.js';

const messageSchema = z.object({
  step: z.string(),
  /** Of the step, 0…1. */
  fraction: z.number().optional(),
  done: z.boolean(),
  dir: z.string().optional(),
});

/** The engine's exit code when parameters are missing or damaged. */
const MISSING_PARAMETERS = 5;

export interface ParametersOptions {
  onStep?: OnStep | undefined;
  /** Ends the engine and all processes it has started. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs the engine's `params` command, which generates the proof parameters of a test size (once per user) or checks the published ones of 32GiB and 64GiB. Returns at once if
 * all exist and nothing tells of damage.
 *
 * @returns the directory of the parameters
 * @throws UserError when they cannot be generated, or are missing or damaged
 */
export async function ensureParameters(
  engine: Engine,
  size: SectorSize,
  { onStep, signal }: ParametersOptions = {},
): Promise<string> {
  const [program, ...first] = engine.command;
  let directory: string | undefined;
  const onStdout = (line: string): void => {
    const message = parseMessage(line);
    if (message?.done) directory = message.dir;
    else if (message) onStep?.(message.step, message.fraction);
  };
  const end = await runBound(program, [...first, 'params', size], {
    env: engine.environment,
    signal,
    onStdout,
  });
  if (end.code === 0 && directory !== undefined) return directory;
  // What helps with those of test sizes, the engine says itself.
  const missing = end.code === MISSING_PARAMETERS && isPublished(size);
  throw new UserError(`no proof parameters for ${size}: ${describeEnd(end)}`, {
    exitCode: 1,
    ...(missing && {
      hint: `\`sealflow setup --parameters ${size}\` fetches them; or set FIL_PROOFS_PARAMETER_CACHE to a directory that has them`,
    }),
  });
}

function parseMessage(line: string): z.infer<typeof messageSchema> | undefined {
  try {
    return messageSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
