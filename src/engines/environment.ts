import { cachePath } from '../machine/cache.js';

/**
 * Variables that engines inherit from our environment; names may end in `*`. They need none of the rest, which
 * contains secrets: TEMPORAL_API_KEY and the like would stay in the environment of processes that run for days,
 * and be exposed to any program that `[engine] command` names.
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
  // Logging, threads, and variables of the proof libraries.
  'RUST_*',
  'RAYON_*',
  'FIL_PROOFS_*',
  'BELLMAN_*',
  'BELLPERSON_*',
  'NEPTUNE_*',
  'EC_GPU_*',
  'CUDA*',
  'NVIDIA_*',
  // For other engines where there is no config.toml (`dev`, `verify`).
  'SEALFLOW_ENGINE_*',
];

const isPassed = (name: string): boolean =>
  PASSED.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );

/**
 * The environment of an engine: our variables that {@link PASSED} names (RUST_LOG, BELLMAN_PROOF_THREADS and so
 * on), then `more`, which overrides them, and default directories for large files if neither sets them:
 * `<cache>/proof-parameters/v28` and `<cache>/parents`. MALLOC_ARENA_MAX and UV_THREADPOOL_SIZE of the unit are
 * for our own process (src/cli/sealflow.cts, systemd/, docker/): an engine runs a thread per core.
 *
 * @param more `[engine] environment` of config.toml, which may set any variable
 */
export function engineEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => isPassed(name)));
  const environment: NodeJS.ProcessEnv = { ...own, ...more };
  return {
    ...environment,
    // v28: version of the published parameters, part of their file names (storage-proofs-core
    // `parameter_cache.rs`).
    FIL_PROOFS_PARAMETER_CACHE:
      environment['FIL_PROOFS_PARAMETER_CACHE'] || cachePath('proof-parameters/v28'),
    FIL_PROOFS_PARENT_CACHE: environment['FIL_PROOFS_PARENT_CACHE'] || cachePath('parents'),
  };
}
