/** The program that computes P1–P5 (docs/engine-protocol.md), and how to start it. */
export interface Engine {
  /** Program and first arguments; the engine's own arguments follow. */
  command: [string, ...string[]];
  environment: NodeJS.ProcessEnv;
  source: 'config.toml' | 'SEALFLOW_ENGINE' | 'cache' | 'built';
}
