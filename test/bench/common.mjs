/** What the benches share: a server of their own, temporary directories, medians. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedServer } from '#dist/temporal/embedded/embedded-server.js';
import { findTemporalCli } from '#dist/temporal/embedded/temporal-cli.js';
import { SEARCH_ATTRIBUTES } from '#dist/search-attributes.js';

/** Runs `work` in a temporary directory, which is removed afterwards. */
export async function inTemporary(work) {
  const directory = mkdtempSync(join(tmpdir(), 'sealflow-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function withServer(directory, work) {
  const cli = await findTemporalCli({});
  const server = await startEmbeddedServer({
    cli,
    dataDir: join(directory, 'server'),
    searchAttributes: SEARCH_ATTRIBUTES,
  });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** `12 (10–15)`: median, least and most. */
export const spread = (values, digits = 0) =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;

export async function seconds(work) {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
