/**
 * The environment for compilers and downloaders: ours, because they need its proxies and toolchains, but
 * without Temporal credentials, because they run third-party code (build scripts of crates).
 */
export const buildEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
