/** What `sealflow status t01000/7` prints for people. */
import { PHASE_IDS, PHASES } from '../phases.js';
import { describeNow } from '../temporal/ask/describe-now.js';
import { askedFor, type SectorStatus } from '../temporal/ask/sector-status.js';
import { waitOf, waitsOfWorkflow } from '../temporal/ask/server-view.js';
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
  const asked = askedFor(status);
  if (asked) lines.push(`  ${asked}`);
  return [...lines, table(phaseRows(status)), ...describeValues(status)].join('\n');
}

const phaseRows = (status: SectorStatus): Record<string, string>[] =>
  PHASE_IDS.map((id) => {
    const { state, tries, host = '', seconds, failure = '' } = status.phases[id];
    const engine = status.engines.find(({ phase }) => phase === id);
    return {
      phase: id,
      '': PHASES[id].title,
      state: waitOf(status, id) ? 'waits' : state,
      tries: tries > 1 ? String(tries) : '',
      host: engine?.host ?? host,
      seconds: seconds?.toFixed(1) ?? '',
      now: describeNow(status, id) ?? failure,
    };
  });

/** All in hex, and commD and commR as CIDs too. */
function describeValues(status: SectorStatus): string[] {
  const { ticket, ticketEpoch, seed, preCommitEpoch, storage } = status;
  const { commD, pieceCid, commR, sectorCid, proof } = commitmentsOf(status);
  return [
    ...(ticket ? [`ticket   ${ticket}${ticketEpoch === undefined ? '' : ` of epoch ${ticketEpoch}`}`] : []),
    ...(seed
      ? [`seed     ${seed}${preCommitEpoch === undefined ? '' : ` (pre-commit at epoch ${preCommitEpoch})`}`]
      : []),
    ...(commD ? [`commD    ${commD}  ${pieceCid}`] : []),
    ...(commR ? [`commR    ${commR}  ${sectorCid}`] : []),
    ...(proof ? [`proof    ${proof.length / 2} bytes: --json prints it`] : []),
    ...(storage ? [`sealed   ${storage.node}: ${storage.sealed}, receipt ${storage.receipt}`] : []),
  ];
}
