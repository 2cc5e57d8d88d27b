/** Shows a sector in the Web UI: search attributes for lists, current details for its own page. */
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import {
  sealGroup,
  sealHost,
  sealMiner,
  sealPhase,
  sealSectorNumber,
  sealSize,
  sealState,
} from '../search-attributes.js';
import { marked } from './core/completed-details.js';
import type { SectorState } from './core/state.js';
import { attributesOf, detailsOf, isBetweenPhases } from './core/views.js';

type Shown = ReturnType<typeof attributesOf>;

/** Remembers what is shown and upserts only the search attributes that changed, as each upsert is an event. */
export class WebUiView {
  private shown: Partial<Shown> = {};

  /** Call it after each change of the state. */
  show(state: SectorState): void {
    setCurrentDetails(marked(detailsOf(state), workflowInfo().runId));
    if (isBetweenPhases(state)) return;
    const before = this.shown;
    const now = attributesOf(state);
    const isNew = ({ key: { name }, value }: Update): boolean =>
      String(value ?? '') !== String(before[name as keyof Shown] ?? '');
    const updates = updatesOf(now).filter(isNew);
    if (updates.length > 0) upsertSearchAttributes(updates);
    this.shown = { ...before, ...now };
  }
}

type Update = ReturnType<typeof updatesOf>[number];

const updatesOf = (now: Shown) => [
  { key: sealMiner, value: now.SealMiner as string | null },
  { key: sealSectorNumber, value: now.SealSector as number | null },
  { key: sealSize, value: now.SealSize as string | null },
  { key: sealGroup, value: now.SealGroup as string | null },
  { key: sealState, value: now.SealState as string | null },
  { key: sealPhase, value: now.SealPhase as string | null },
  { key: sealHost, value: now.SealHost as string[] | null },
];
