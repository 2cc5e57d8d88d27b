import { cachePath } from '../machine/cache.js';

/**
 * The environment of an engine: ours (RUST_LOG, RUST_BACKTRACE, BELLMAN_PROOF_THREADS and so on reach it), `more` on top, and where
 * its costly files lie if neither says so: `<cache>/proof-parameters/v28` and `<cache>/parents`.
 *
 * @param more `[engine] environment` of config.toml
 */
export function engineEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  // Ours (src/cli/sealflow.cts, systemd/, docker/), and nothing to an engine: it has a thread for each core.
  const { UV_THREADPOOL_SIZE: _, MALLOC_ARENA_MAX: _of, ...own } = process.env;
  const given: NodeJS.ProcessEnv = { ...own, ...more };
  return {
    ...given,
    // v28 is the version of the published parameters, as in their names (storage-proofs-core `parameter_cache.rs`).
    FIL_PROOFS_PARAMETER_CACHE: given['FIL_PROOFS_PARAMETER_CACHE'] || cachePath('proof-parameters/v28'),
    FIL_PROOFS_PARENT_CACHE: given['FIL_PROOFS_PARENT_CACHE'] || cachePath('parents'),
  };
}
