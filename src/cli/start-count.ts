/** `start t01000 --count 20`: sectors under the lowest numbers that are free. */
import type { Client } from '@temporalio/client';
import { minerName, sectorName, type SectorId } from '../sector.js';
import { findFreeNumbers } from '../temporal/ask/free-numbers.js';
import { AlreadyStartedError } from '../temporal/ask/start-sector.js';
import { WhoServes } from '../temporal/ask/who-serves.js';
import { UserError } from '../user-error.js';
import { rangesOf, type Targets } from './arguments.js';
import { printProblem } from './process.js';

export interface Counted {
  /** The miner, and the lowest number that is taken. */
  from: SectorId;
  count: number;
}

/** @throws UserError (exit 2) when it is not clear what is meant */
export function countedOf({ sectors, miners }: Targets, count: number | undefined): Counted | undefined {
  const [miner] = miners;
  if (count === undefined) {
    if (!miner) return undefined;
    throw new UserError(`${minerName(miner)} is a miner`, {
      hint: `--count 20 takes that many free numbers of it; or name sectors, like ${minerName(miner)}/1-20`,
    });
  }
  const [from, ...others] = [...miners, ...sectors];
  if (!from || others.length > 0)
    throw new UserError('--count takes one miner', {
      hint: 'like t01000, or t01000/500 for numbers from 500 on',
    });
  return { from, count };
}

/**
 * Starts as many sectors. A number that somebody else takes meanwhile is passed over: two of these at once share the numbers.
 * @param start throws AlreadyStartedError where the number had a workflow before
 * @param asksChain whether numbers are to be free on the chain that orchestrators watch, if any does
 * @returns which were taken, as a sentence
 * @throws UserError (exit 1) when there are no more, or the chain does not answer; whatever else `start` throws. Before, and before
 *   a signal ends the process, it prints what was started
 */
export async function startCount(
  client: Client,
  { from, count }: Counted,
  asksChain: boolean,
  start: (sector: SectorId, freeAt: number | undefined) => Promise<void>,
): Promise<string> {
  const isWatched = asksChain && (await new WhoServes(client).chain());
  const progress = new Progress(count);
  let known: number | undefined;
  try {
    for (let next = from.number; progress.started.length < count;) {
      const wanted = { miner: from.miner, from: next, count: count - progress.started.length };
      const { numbers, epoch } = await findFreeNumbers(client, wanted, isWatched);
      if (numbers.length === 0)
        throw new UserError(`${minerName(from)} has no more free numbers`, { exitCode: 1 });
      known = epoch;
      for (const number of numbers)
        await progress.of({ miner: from.miner, number }, (sector) => start(sector, epoch));
      next = (numbers.at(-1) as number) + 1;
    }
  } catch (error) {
    progress.tell();
    throw error;
  } finally {
    progress.end();
  }
  const why = asksChain ? 'no orchestrator watches the chain' : 'no chain knows test sectors';
  const where = known === undefined ? `here only: ${why}` : `here, and on chain at epoch ${known}`;
  return `${progress.started.length} started: ${rangesOf(progress.started)}; these numbers were free ${where}`;
}

/** What was started so far, for whom the command is ended in the middle. */
class Progress {
  readonly started: SectorId[] = [];
  private trying: SectorId | undefined;
  private readonly onSignal = (name: NodeJS.Signals): void => {
    this.tell();
    this.end();
    // Ends the process, as without a listener.
    process.kill(process.pid, name);
  };

  constructor(private readonly count: number) {
    for (const name of SIGNALS) process.on(name, this.onSignal);
  }

  async of(sector: SectorId, start: (sector: SectorId) => Promise<void>): Promise<void> {
    this.trying = sector;
    try {
      await start(sector);
      this.started.push(sector);
    } catch (error) {
      if (!(error instanceof AlreadyStartedError)) throw error;
    }
    this.trying = undefined;
  }

  tell(): void {
    const { started, trying, count } = this;
    if (started.length === 0 && !trying) return;
    // Its answer has not come.
    const perhaps = trying ? `; perhaps also ${sectorName(trying)}` : '';
    const message = `stopped when ${started.length} of ${count} were started: ${rangesOf(started)}${perhaps}`;
    printProblem(new UserError(message));
  }

  end(): void {
    for (const name of SIGNALS) process.removeListener(name, this.onSignal);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
