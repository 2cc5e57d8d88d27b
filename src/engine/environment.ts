import { cachePath } from '../machine/cache.js';

/**
 * What an engine may take from our own environment; names may end in `*`. An engine lives for days, and whoever may look at it
 * reads its environment in /proc: keys of Temporal (TEMPORAL_API_KEY, TEMPORAL_TLS_*), of clouds and of proxies are none of its
 * business, and a list of what is secret would never be complete.
 */
const HANDED_ON = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_*', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH'],
  ...['RUST_*', 'RAYON_*', 'OMP_*', 'MALLOC_*', 'SSL_CERT_*'],
  ...['FIL_PROOFS_*', 'BELLMAN_*', 'NEPTUNE_*', 'EC_GPU_*', 'CUDA*', 'NVIDIA_*'],
  ...['SEALFLOW_*', 'FIXTURE_*'],
];

/** Ours (systemd/, docker/), and nothing to an engine: it has a thread for each core. */
const OURS = ['MALLOC_ARENA_MAX'];

/**
 * The environment of an engine: of ours what concerns it (RUST_LOG, RUST_BACKTRACE, BELLMAN_PROOF_THREADS and so on reach it),
 * `more` on top, whatever it names, and where its costly files lie if neither says so: `<cache>/proof-parameters/v28` and
 * `<cache>/parents`.
 *
 * @param more `[engine] environment` of config.toml
 */
export function engineEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => isHandedOn(name));
  const given: NodeJS.ProcessEnv = { ...Object.fromEntries(own), ...more };
  return {
    ...given,
    // v28 is the version of the published parameters, as in their names (storage-proofs-core `parameter_cache.rs`).
    FIL_PROOFS_PARAMETER_CACHE: given['FIL_PROOFS_PARAMETER_CACHE'] || cachePath('proof-parameters/v28'),
    FIL_PROOFS_PARENT_CACHE: given['FIL_PROOFS_PARENT_CACHE'] || cachePath('parents'),
  };
}

const isHandedOn = (name: string): boolean =>
  !OURS.includes(name) &&
  HANDED_ON.some((known) => (known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known));
