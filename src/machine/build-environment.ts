/**
 * The environment of compilers and downloaders: ours, whose proxies and toolchains they need, without the credentials of
 * Temporal, as they run what strangers have written (build scripts of crates).
 */
export const buildEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
