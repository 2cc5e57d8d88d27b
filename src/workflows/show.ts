/** What people see of a sector in the Web UI: search attributes for lists, current details for its page. */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import {
  sealGroup,
  sealHost,
  sealMiner,
  sealPhase,
  sealSectorNumber,
  sealSize,
  sealState,
} from '../search-attributes.js';
import { PHASE_IDS, PHASES, type PhaseId } from '../phases.js';
import { minerName, sectorOf } from '../sector.js';
import type { Sector } from './sector.js';

const shown = new WeakMap<Sector, Map<string, unknown>>();

/** Call after each change. Writes only the search attributes that differ, as each write is an event in the history. */
export function show(sector: Sector): void {
  setCurrentDetails(details(sector));
  const before = shown.get(sector) ?? new Map<string, unknown>();
  const updates = attributes(sector).filter(
    ({ key, value }) => value !== null && before.get(key.name) !== value,
  );
  if (updates.length === 0) return;
  upsertSearchAttributes(updates);
  for (const { key, value } of updates) before.set(key.name, value);
  shown.set(sector, before);
}

/** The same when a phase is done: what follows shows the rest, unless another phase goes on beside it. */
export function showPhaseDone(sector: Sector): void {
  if (activePhases(sector).length > 0) show(sector);
  else setCurrentDetails(details(sector));
}

const activePhases = ({ phases }: Sector): PhaseId[] =>
  PHASE_IDS.filter((phase) => !['waiting', 'done'].includes(phases[phase].state));

/** Text of programs: one line, and nothing that Markdown would take for a table's edge. */
const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '/');

function attributes(sector: Sector) {
  const { seal, phases } = sector;
  const id = sectorOf(seal.sector);
  const active = activePhases(sector);
  const last = PHASE_IDS.filter((phase) => phases[phase].state === 'done').at(-1);
  return [
    { key: sealMiner, value: minerName(id) },
    { key: sealSectorNumber, value: id.number },
    { key: sealSize, value: seal.size as string },
    { key: sealGroup, value: String(seal.group) },
    { key: sealState, value: sector.state() as string },
    // Between two phases the value of the one before stands: one event less a phase.
    {
      key: sealPhase,
      value: active.length > 0 ? active.join('+') : phases.P6.state === 'done' ? 'done' : null,
    },
    { key: sealHost, value: (last && phases[last].host) ?? null },
  ];
}

/** The Web UI leaves no room between columns; spaces that do not break are kept. */
const row = (...cells: string[]): string => `| ${cells.map((cell) => `${cell}\u00a0\u00a0`).join(' | ')} |`;

function details(sector: Sector): string {
  const lines = [
    `**${sector.seal.sector}** ${sector.seal.size}, group ${sector.seal.group}: **${sector.state()}**`,
    '',
  ];
  for (const { phase, type, message, hint } of sector.attention.values()) {
    lines.push(`> **${phase} ${type}**: ${oneLine(message)}`, `> ${hint}`, '');
  }
  lines.push(row('phase', '', 'state', 'tries', 'host', 'seconds', 'last failure'), '|-|-|-|-|-|-|-|');
  for (const id of PHASE_IDS) {
    const { state, tries, host = '', seconds, failure = '' } = sector.phases[id];
    const time = seconds === undefined ? '' : seconds.toFixed(1);
    lines.push(row(id, PHASES[id].title, state, String(tries), host, time, oneLine(failure)));
  }
  const { commR } = sector.results.P2 ?? {};
  if (commR) lines.push('', `commR (base64) \`${commR}\``);
  return lines.join('\n');
}
