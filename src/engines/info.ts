import { execa, ExecaError } from 'execa';
import { z } from 'zod';
import type { SectorSize } from '../phases.js';
import { UserError } from '../user-error.js';
import type { Engine } from './engine.js';

const infoSchema = z.object({
  v: z.literal(1),
  /** Of the engine. */
  version: z.string(),
  /** Of filecoin-proofs. */
  proofs: z.string(),
  cuda: z.boolean(),
  /** Without SHA extensions P1 takes ten times as long. */
  shaNi: z.boolean(),
  /** Whether P1 can compute on several cores; an engine of an earlier version does not tell, and cannot. */
  multicoreSdr: z.boolean().default(false),
  parameterDir: z.string(),
  sizes: z.record(
    z.string(),
    z.object({
      parameters: z.boolean(),
      /** Why parameters that are there are of no use: a file is damaged. With the mend. */
      unusable: z.string().optional(),
      partitions: z.int(),
      layers: z.int(),
    }),
  ),
});

/** What an engine reports about itself and about this host. */
export type EngineInfo = z.infer<typeof infoSchema>;

// `info` computes nothing, but a program of 50 MB may have to be loaded from a busy disk.
const TIMEOUT_MS = 30_000;

/**
 * Runs the engine's `info` command.
 *
 * @param size limits the report to this sector size
 * @throws UserError when it does not answer in time, or its output is not that of an engine
 */
export async function engineInfo(engine: Engine, size?: SectorSize): Promise<EngineInfo> {
  const [program, ...first] = engine.command;
  const args = [...first, 'info', ...(size === undefined ? [] : ['--size', size])];
  try {
    const { stdout } = await execa(program, args, {
      timeout: TIMEOUT_MS,
      env: engine.environment,
      extendEnv: false,
    });
    return infoSchema.parse(JSON.parse(stdout));
  } catch (error) {
    throw new UserError(
      `${engine.command.join(' ')} does not answer \`info\` as an engine does: ${reasonOf(error)}`,
      {
        hint: `it comes from ${engine.source}; docs/engine-protocol.md describes the answer`,
        cause: error,
      },
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  }
  if (!(error instanceof ExecaError)) return (error as Error).message;
  if (error.timedOut) return `no answer within ${TIMEOUT_MS / 1000} s`;
  return firstLine(error.stderr) ?? error.shortMessage;
}

const firstLine = (text: unknown): string | undefined =>
  (typeof text === 'string' ? text : '').split('\n').find((line) => line.trim() !== '');
