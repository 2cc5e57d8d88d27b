/** What is to be said of a phase under way, in one sentence: for `status` and for the Web UI. */
import type { CopyProgress, HeartbeatDetails } from '../../heartbeat.js';
import { describeLoad } from '../../machine/disk-load.js';
import { PHASE_IDS, type PhaseId } from '../../phases.js';
import { amount, duration, sinceText } from '../../units.js';
import { describeInQueue } from './in-queue.js';
import { waitOf, waitsOfWorkflow, type ServerView } from './server-view.js';

/** Why it waits, else what its engine does, else where it stands in its queue; undefined if the server knows nothing of it. */
export function describeNow(view: ServerView, id: PhaseId): string | undefined {
  const waits = waitOf(view, id);
  if (waits) return describeWait(waits);
  const engine = view.engines.find(({ phase }) => phase === id);
  if (engine) return describeEngine(engine);
  const inQueue = view.inQueue.find(({ phase }) => phase === id);
  return inQueue && describeInQueue(inQueue);
}

/** The same of all that is under way: `P4 waits: nobody serves …`, `P5 on 10.0.0.5: copying sealed 43 % …`. */
export function describeAll(view: ServerView): string[] {
  const ofPhases = PHASE_IDS.flatMap((id) => {
    const now = describeNow(view, id);
    if (now === undefined) return [];
    const engine = waitOf(view, id) ? undefined : view.engines.find(({ phase }) => phase === id);
    return [`${id} ${engine ? `on ${engine.host}: ` : ''}${now}`];
  });
  return [...waitsOfWorkflow(view).map((why) => `waits: ${why}`), ...ofPhases];
}

/** `waits: no room …, next try at 14:05Z` */
const describeWait = ({ why, nextTry }: { why: string; nextTry?: string }): string =>
  `waits: ${why}${nextTry === undefined ? '' : `, next try at ${sinceText(new Date(nextTry))}`}`;

/** `copying sealed 43 %, 28.1 of 65.4 GB, 98 MB/s, 6.3 min left` */
function describeEngine({ step, fraction, disk, copy }: HeartbeatDetails): string {
  const done = fraction === null ? '' : ` ${(fraction * 100).toFixed(0)} %`;
  const load = disk ? ` (${describeLoad(disk)})` : '';
  return `${step}${done}${load}${copy ? describeCopy(copy) : ''}`;
}

function describeCopy({ bytes, total, bytesPerSec, passedOver: skipped = [] }: CopyProgress): string {
  const rate = bytesPerSec
    ? `, ${amount(bytesPerSec)}/s, ${duration(((total - bytes) / bytesPerSec) * 1000)} left`
    : '';
  const others = skipped.length > 0 ? ` (not ${skipped.join('; not ')})` : '';
  return `, ${amount(bytes)} of ${amount(total)}${rate}${others}`;
}
