/** What `sealflow status t01000/7` prints for people. */
import type { CopyProgress, HeartbeatDetails } from '../heartbeat.js';
import { describeLoad } from '../machine/disk-load.js';
import { PHASE_IDS, PHASES } from '../phases.js';
import { describeDeadline } from '../temporal/ask/deadline.js';
import { describeInQueue } from '../temporal/ask/in-queue.js';
import { askedFor, waitOf, waitsOfWorkflow, type SectorStatus } from '../temporal/ask/sector-status.js';
import { amount, duration, sinceText } from '../units.js';
import { commitmentsOf } from './shown.js';
import { table } from './table.js';

export function describeStatus(status: SectorStatus): string {
  const { sector, size, group, priority, state, workflow, attention } = status;
  const high = priority ? 'high priority  ' : '';
  const lines = [`${sector}  ${size}  group ${group}  ${high}${state} (workflow ${workflow})`];
  for (const { phase, type, message, hint, since } of attention) {
    lines.push(
      `  ${phase} needs attention since ${new Date(since).toISOString()}: ${type}: ${message}`,
      `    ${hint}`,
    );
  }
  for (const why of waitsOfWorkflow(status)) lines.push(`  waits: ${why}`);
  const deadline = describeDeadline(status, status.needsMs);
  if (deadline !== undefined) lines.push(`  ${deadline}`);
  const asked = askedFor(status);
  if (asked) lines.push(`  ${asked}`);
  return [...lines, table(phaseRows(status)), ...describeValues(status)].join('\n');
}

const phaseRows = (status: SectorStatus): Record<string, string>[] =>
  PHASE_IDS.map((id) => {
    const { state, tries, host = '', seconds, failure = '' } = status.phases[id];
    const engine = status.engines.find(({ phase }) => phase === id);
    const waits = waitOf(status, id);
    const inQueue = status.inQueue.find(({ phase }) => phase === id);
    return {
      phase: id,
      '': PHASES[id].title,
      state: waits ? 'waits' : state,
      tries: tries > 1 ? String(tries) : '',
      host: engine?.host ?? host,
      seconds: seconds?.toFixed(1) ?? '',
      now:
        (waits && describeWait(waits)) ??
        (engine && describeEngine(engine)) ??
        (inQueue && describeInQueue(inQueue)) ??
        failure,
    };
  });

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

/** All in hex, and commD and commR as CIDs too. */
function describeValues(status: SectorStatus): string[] {
  const { ticket, ticketEpoch, draws = 1, seed, preCommitEpoch, storage } = status;
  const { commD, pieceCid, commR, sectorCid, proof } = commitmentsOf(status);
  return [
    ...(ticket
      ? [
          `ticket   ${ticket}${ticketEpoch === undefined ? '' : ` of epoch ${ticketEpoch}`}${draws > 1 ? `, drawn ${draws} times` : ''}`,
        ]
      : []),
    ...(seed
      ? [`seed     ${seed}${preCommitEpoch === undefined ? '' : ` (pre-commit at epoch ${preCommitEpoch})`}`]
      : []),
    ...(commD ? [`commD    ${commD}  ${pieceCid}`] : []),
    ...(commR ? [`commR    ${commR}  ${sectorCid}`] : []),
    ...(proof ? [`proof    ${proof.length / 2} bytes: --json prints it`] : []),
    ...(storage ? [`sealed   ${storage.node}: ${storage.sealed}, receipt ${storage.receipt}`] : []),
  ];
}
