/** What people see of a sector, derived from its state: search attributes, current details, status. */
import { CONTRACT_VERSION } from '../../contract.js';
import type { PhaseStatus, SealState, SealStatus } from '../../messages.js';
import { PHASE_IDS, PHASES, type PhaseId } from '../../phases.js';
import type { SEARCH_ATTRIBUTES } from '../../search-attributes.js';
import { oneLine } from './completed-details.js';
import { hexOfBase64 } from './hex.js';
import { minerName, sectorOf } from '../../sector.js';
import { activePhases, commROf, isDone, phaseState, waitsFor, type SectorState } from './state.js';

export function sealState(state: SectorState): SealState {
  if (state.ending) return state.ending.state;
  if (Object.keys(state.attention).length > 0) return 'needs-attention';
  const phases = activePhases(state).map((phase) => phaseState(state, phase));
  const upstream = phases.length > 0 ? undefined : waitsFor(state);
  if (upstream) return `waiting-for-${upstream}`;
  if (phases.includes('working')) return 'working';
  return phases.includes('backoff') && !phases.includes('queued') ? 'backoff' : 'queued';
}

const phaseStatus = (state: SectorState, phase: PhaseId): PhaseStatus => {
  const { tries, host, workingOn, seconds, failure } = state.phases[phase];
  return { state: phaseState(state, phase), tries, host: workingOn ?? host, seconds, failure };
};

/** The answer to the query `status`. */
export function statusOf(state: SectorState): SealStatus {
  const { seal, results, ending } = state;
  const cleaned = ending?.state === 'sealed' ? ending.cleaned : undefined;
  return {
    v: CONTRACT_VERSION,
    sector: seal.sector,
    size: seal.size,
    group: seal.group,
    ...(seal.priority && { priority: true }),
    state: sealState(state),
    phases: Object.fromEntries(PHASE_IDS.map((id) => [id, phaseStatus(state, id)])) as SealStatus['phases'],
    stepsBack: state.stepsBack,
    attention: PHASE_IDS.flatMap((id) => state.attention[id] ?? []),
    ticket: seal.ticket,
    ticketEpoch: seal.ticketEpoch,
    seed: seal.seed,
    ...(seal.chain && { chain: true }),
    ...(state.preCommitEpoch !== undefined && { preCommitEpoch: state.preCommitEpoch }),
    commD: results.P2?.commD,
    // Once published, a commR is shown until a new P2 replaces it.
    commR: commROf(state) ?? state.shownCommR,
    proof: results.P4?.proof,
    storage: cleaned?.storage,
    bytesFreed: cleaned?.bytesFreed,
  };
}

/** The phase that cannot begin without it. */
const WAITS_BEFORE = { ticket: 'P1', seed: 'P3', landed: 'P6' } as const;

/** The phases that a list shows: those that need a person, else those under way, else the one that upstream holds up. */
function shownPhases(state: SectorState): PhaseId[] {
  const held = PHASE_IDS.filter((phase) => state.attention[phase]);
  if (held.length > 0) return held;
  const active = activePhases(state);
  const upstream = active.length > 0 ? undefined : waitsFor(state);
  return upstream ? [WAITS_BEFORE[upstream]] : active;
}

/** Search attributes for lists of workflows; null means nothing to show. */
export function attributesOf(
  state: SectorState,
): Record<keyof typeof SEARCH_ATTRIBUTES, string | number | string[] | null> {
  const { seal, phases } = state;
  const id = sectorOf(seal.sector);
  const shown = shownPhases(state);
  const hosts = new Set(PHASE_IDS.flatMap((phase) => phases[phase].workingOn ?? []));
  return {
    SealMiner: minerName(id),
    SealSector: id.number,
    SealSize: seal.size,
    SealGroup: String(seal.group),
    SealState: sealState(state),
    // Between two phases the previous value stays: one event less per phase.
    SealPhase: shown.length > 0 ? shown.join('+') : isDone(state, 'P6') ? 'done' : null,
    SealHost: hosts.size > 0 ? [...hosts].sort() : null,
  };
}

/**
 * Whether the next phase is about to be scheduled. Search attributes wait for that, as each update is an event.
 */
export const isBetweenPhases = (state: SectorState): boolean =>
  activePhases(state).length === 0 && sealState(state) === 'queued';

/** The Web UI puts no space between columns, but it preserves non-breaking spaces. */
const row = (...cells: string[]): string => `| ${cells.map((cell) => `${cell}\u00a0\u00a0`).join(' | ')} |`;

/** What upstream must give next. */
const ASKED_FOR: Partial<Record<SealState, (sector: string) => string>> = {
  'waiting-for-seed': (sector) => `waits for its seed: \`sealflow seed ${sector} HEX\``,
  'waiting-for-landed': (sector) => `waits for its proof to be on chain: \`sealflow landed ${sector}\``,
};

/** The same where the chain is watched: *Pending Activities* says what it tells. */
const AWAITED: Partial<Record<SealState, string>> = {
  'waiting-for-ticket': 'waits for its ticket from the chain',
  'waiting-for-seed': 'waits for its pre-commit on chain, and then for its seed',
  'waiting-for-landed': 'waits for its proof to be on chain',
};

/** Markdown for the sector's page in the Web UI. */
export function detailsOf(state: SectorState): string {
  const { seal } = state;
  const priority = seal.priority ? ', high priority' : '';
  const lines = [
    `**${seal.sector}** ${seal.size}, group ${seal.group}${priority}: **${sealState(state)}**`,
    '',
  ];
  for (const { phase, type, message, hint } of Object.values(state.attention)) {
    lines.push(`> **${phase} ${type}**: ${oneLine(message)}`, `> ${hint}`, '');
  }
  const now = sealState(state);
  const asked = seal.chain ? AWAITED[now] : ASKED_FOR[now]?.(seal.sector);
  if (asked) lines.push(`> ${asked}`, '');
  lines.push(row('phase', '', 'state', 'tries', 'host', 'seconds', 'last failure'), '|-|-|-|-|-|-|-|');
  for (const id of PHASE_IDS) {
    const { state: shown, tries, host = '', seconds, failure = '' } = phaseStatus(state, id);
    const time = seconds === undefined ? '' : seconds.toFixed(1);
    lines.push(row(id, PHASES[id].title, shown, String(tries), host, time, oneLine(failure)));
  }
  return [...lines, '', ...valuesOf(state)].join('\n');
}

/** Each on a line of its own: two spaces end a line in Markdown. */
function valuesOf({ seal, results }: SectorState): string[] {
  const epoch = seal.ticketEpoch === undefined ? '' : ` of epoch ${seal.ticketEpoch}`;
  const values = seal.ticket === undefined ? [] : [`ticket \`${seal.ticket}\`${epoch}`];
  if (seal.seed !== undefined) values.push(`seed \`${seal.seed}\``);
  for (const name of ['commD', 'commR'] as const) {
    const value = results.P2?.[name];
    if (value !== undefined) values.push(`${name} \`${hexOfBase64(value)}\``);
  }
  return values.map((value, i) => (i < values.length - 1 ? `${value}  ` : value));
}
