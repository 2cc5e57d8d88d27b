import { cachePath } from '../machine/cache.js';

/**
 * What engines get of our own environment; names may end in `*`. Of the rest they need nothing, and it holds what they must not
 * have: TEMPORAL_API_KEY and the like would lie in the environment of processes that go on for days, and in the hands of whatever
 * program `[engine] command` names.
 */
const PASSED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_*',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  // Logs, threads, and what the libraries of the proofs read.
  'RUST_*',
  'RAYON_*',
  'FIL_PROOFS_*',
  'BELLMAN_*',
  'BELLPERSON_*',
  'NEPTUNE_*',
  'EC_GPU_*',
  'CUDA*',
  'NVIDIA_*',
  // For other engines, whatever they need, where there is no config.toml (`dev`, `verify`).
  'SEALFLOW_ENGINE_*',
];

const isPassed = (name: string): boolean =>
  PASSED.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );

/**
 * The environment of an engine: of ours what {@link PASSED} names (RUST_LOG, BELLMAN_PROOF_THREADS and so on reach it), `more` on
 * top, and where its costly files lie if neither says so: `<cache>/proof-parameters/v28` and `<cache>/parents`. MALLOC_ARENA_MAX
 * and UV_THREADPOOL_SIZE of the unit are ours (src/cli/sealflow.cts, systemd/, docker/): an engine has a thread for each core.
 *
 * @param more `[engine] environment` of config.toml, which may hold any variable
 */
export function engineEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => isPassed(name)));
  const given: NodeJS.ProcessEnv = { ...own, ...more };
  return {
    ...given,
    // v28 is the version of the published parameters, as in their names (storage-proofs-core `parameter_cache.rs`).
    FIL_PROOFS_PARAMETER_CACHE: given['FIL_PROOFS_PARAMETER_CACHE'] || cachePath('proof-parameters/v28'),
    FIL_PROOFS_PARENT_CACHE: given['FIL_PROOFS_PARENT_CACHE'] || cachePath('parents'),
  };
}
