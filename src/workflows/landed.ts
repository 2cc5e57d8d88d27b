/** P6 may wait for the chain: a commit message can fail, and then P3 needs the layers again. */
import { condition } from '@temporalio/workflow';
import { show } from './show.js';
import type { Sector } from './sector.js';

export class Landed {
  /** Upstream has told that the proof is on chain. */
  told = false;
  waiting = false;
}

/** With `[clean] after = "landed"`: until then another seed, a retry and an abort are possible as before P6. */
export async function untilLanded(sector: Sector): Promise<void> {
  const { landed } = sector;
  sector.phases.P6.state = 'waiting';
  landed.waiting = true;
  show(sector);
  try {
    await condition(() => landed.told);
  } finally {
    landed.waiting = false;
  }
}
