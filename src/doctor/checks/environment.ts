/** Environment variables that only other engines use, and those that this engine must not get. */
import { fail, ok, together, warn, type Verdict } from '../finding.js';

/** What each variable does in other engines; names may end in `*`. */
const FOREIGN: readonly (readonly [name: string, meaning: string])[] = [
  // force-remote-worker's fork of the proofs.
  ['FORCE_OPT_P1', "chose a faster P1 in force-remote-worker's fork"],
  ['FORCE_HUGE_PAGE', "kept P1's layers in huge pages in force-remote-worker's fork"],
  ['FORCE_*', "belongs to force-remote-worker's fork"],
  [
    'FIL_PROOFS_PARTITION_MEM',
    "set the memory of P4's partitions in a fork; BELLMAN_PROOF_THREADS limits it here",
  ],
  ['FIL_PROOFS_USE_FULL_GROTH_PARAMS', 'chose how P4 reads its parameters in a fork'],
  ['FIL_PROOFS_MAXIMIZE_CACHING', 'kept parent caches in memory in earlier versions of rust-fil-proofs'],
  // Features that the engine is built without.
  ['FIL_PROOFS_USE_GPU_*', 'let P2 build its trees on the GPU; this engine computes on the CPU'],
  ['FIL_PROOFS_MAX_GPU_*', "sized the GPU's batches of P2; this engine computes on the CPU"],
  ['FIL_PROOFS_GPU_FRAMEWORK', 'chose CUDA or OpenCL; this engine computes on the CPU'],
  ['FIL_PROOFS_USE_MULTICORE_SDR', 'let P1 use several cores; this engine is built without it'],
  ['FIL_PROOFS_MULTICORE_SDR_*', 'tuned P1 on several cores; this engine is built without it'],
  ['BELLMAN_CUSTOM_GPU', 'named a GPU; this engine computes on the CPU'],
  ['BELLMAN_NO_GPU', 'kept P4 off the GPU; this engine computes on the CPU anyway'],
  ['RUST_GPU_TOOLS_CUSTOM_GPU', 'named a GPU; this engine computes on the CPU'],
];

/** Used by terminals and test runners; unrelated to sealing. */
const UNRELATED = ['FORCE_COLOR', 'FORCE_TTY', 'FORCE_HYPERLINK'];

/** The library's default; storage-proofs-core `settings.rs` DEFAULT_ROWS_TO_DISCARD. */
const ROWS_TO_DISCARD = '2';

/** @param environment the variables that the engine would get: the process' own, overridden by [engine.environment] */
export function judgeEnvironment(environment: NodeJS.ProcessEnv): Verdict {
  const verdicts = Object.entries(environment).flatMap(([name, value]) => judge(name, value ?? ''));
  return together(verdicts, ok('no variables of other engines'));
}

function judge(name: string, value: string): Verdict[] {
  if (name === 'FIL_PROOFS_ROWS_TO_DISCARD' && value !== ROWS_TO_DISCARD) {
    return [
      fail(
        `${name}=${value}`,
        `${name} unset: every program that reads the sector later must use the same value`,
        `unset ${name}`,
      ),
    ];
  }
  const known = FOREIGN.find(([pattern]) => matches(name, pattern));
  if (!known || UNRELATED.includes(name)) return [];
  return [warn(`${name}: ${known[1]}`, 'unset: it has no effect here', `unset ${name}`)];
}

const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
