/** The processes of `sealflow dev`: an orchestrator and a worker, as an operator would run them. */
import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { listAttempts } from '../sector-directory/attempt.js';
import { terminate } from '../engines/processes.js';
import { readProgress } from '../engines/progress.js';
import { endGroup, spawnBound } from '../machine/bound-process.js';
import { cacheDir } from '../paths.js';
import { ENGINE_PHASE_IDS, TIMES } from '../phases.js';
import { UserError } from '../user-error.js';
import type { DevHome } from './home.js';

const MAIN = fileURLToPath(new URL('../cli/sealflow.cjs', import.meta.url));
const GRACE_MS = 30_000;

export class DevProcesses {
  private readonly children: { name: string; log: string; child: ChildProcess }[] = [];
  private ending = false;

  constructor(
    private readonly home: DevHome,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  start(name: string, args: string[]): void {
    const log = join(this.home.logs, `${name}.log`);
    const file = openSync(log, 'a');
    const child = spawnBound(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', file, file],
      env: { ...process.env, ...this.environment },
    });
    closeSync(file);
    this.children.push({ name, log, child });
  }

  /** Rejects when one of them ends unexpectedly. */
  async watch(): Promise<never> {
    return await Promise.race(
      this.children.map(async ({ name, log, child }) => {
        const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
        if (this.ending) return await new Promise<never>(() => undefined);
        throw new UserError(`${name} has ended (${signal ?? `exit ${code}`})`, {
          exitCode: 1,
          hint: `its log: ${log}`,
        });
      }),
    );
  }

  /** Ends them, and the engines that they leave behind: on a developer's machine nothing goes on alone. */
  async stop(): Promise<void> {
    this.ending = true;
    await Promise.all(this.children.map(({ child }) => endGroup(child, GRACE_MS)));
    await endEngines(this.home);
  }
}

async function endEngines({ group }: DevHome): Promise<void> {
  const base = cacheDir(group);
  for (const name of await readdir(base)) {
    for (const phase of ENGINE_PHASE_IDS) {
      for (const attempt of (await listAttempts(join(base, name), phase)).all) {
        const engine = await readProgress(attempt.directory);
        if (engine) await terminate(engine, TIMES.terminateGrace);
      }
    }
  }
}
