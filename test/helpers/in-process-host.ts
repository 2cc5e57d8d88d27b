/**
 * Hosts in the process of the test: as `sealflow worker` serves them, without what belongs to a process (signals, the lock of its
 * phases, its metrics, the checks that it logs at its start). A worker process takes a second of a core to start.
 */
import { engineFor } from '../../src/cli/engine.js';
import { serve } from '../../src/cli/serve.js';
import { readConfig } from '../../src/config.js';
import { createLog } from '../../src/telemetry.js';
import { targetAt } from '../../src/temporal/connect/target.js';
import { eventually } from './eventually.js';
import { quiet } from './temporal.js';

/** A host that goes on until it is stopped. Beside a process (`Running`) it has no id, and nothing can kill it. */
export interface InProcessHost {
  /** What it has logged so far. */
  said: { readonly stderr: string };
  /** Waits for text in its log. @throws when it ends before */
  until(text: string): Promise<void>;
  /** As SIGTERM does: engines keep running. */
  stop(): Promise<void>;
}

/** @param file its config.toml */
export function startHost(file: string): InProcessHost {
  quiet();
  const said = { stderr: '' };
  const stopping = new AbortController();
  let end: string | undefined;
  const ended = run(file, (line) => (said.stderr += line), stopping.signal).then(
    () => (end = 'it was stopped'),
    (error: unknown) => (end = String(error)),
  );
  return {
    said,
    until: async (text) => {
      await eventually(() => said.stderr.includes(text) || end !== undefined);
      if (!said.stderr.includes(text)) throw new Error(`${end} before it logged "${text}":\n${said.stderr}`);
    },
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function run(file: string, print: (line: string) => void, signal: AbortSignal): Promise<void> {
  const config = readConfig(file);
  const engine = await engineFor(config);
  // TEMPORAL_… of whoever runs the tests does not count.
  const target = targetAt(new URL(config.schedulerUrl).host);
  await serve({ config, engine, target, log: createLog(print), signal });
}
