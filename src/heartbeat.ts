/** Heartbeat details of an activity: shown by `status`, and read by the next attempt of the task. */
import type { PhaseId } from './phases.js';

/** Seen from another attempt: how a foreign engine's counter stood, and since when by the server's clock. */
export interface Observation {
  at: string;
  counter: number;
  /** Server time in ms since 1970; missing when it was seen for the first time, at a time that is not known. */
  since?: number;
}

/** What a task knows of its attempts before this one, as Temporal retries it: it travels in the heartbeat. */
export interface Carried {
  /** The newest attempt (`1/P2-3`) whose failure was reported; a newer failure on disk is reported, not repeated. */
  lastReported?: string;
  /** Failures in a row that count. */
  failures: string[];
  /** Units of work (layers) that were safe on disk when the last one ended; a growing number means progress. */
  recorded: number;
  /** Outages in a row. */
  waits: number;
}

/** How busy a disk was lately (src/machine/disk-load.ts). */
export interface DiskBusy {
  disk: string;
  /** 0…1 */
  busy: number;
  /** Mean of a write from request to completion, in ms. */
  writeWaitMs: number;
}

export interface HeartbeatDetails {
  phase: PhaseId;
  host: string;
  /** `1/P2-3`; empty before an attempt is chosen. */
  at: string;
  step: string;
  /** 0…1, or null when unknown. */
  fraction: number | null;
  observed?: Observation;
  carried?: Carried;
  /** The host that has told the workflow that it works. */
  told?: string | undefined;
  /** Set while an engine of this host, or P6, is at work. */
  works?: true | undefined;
  /** With P1: the busiest disk of local_dir, where it lies on disks of this host. */
  disk?: DiskBusy;
  /** With P5. */
  copy?: CopyProgress;
}

/** How far a copy is: it moves all bytes twice, to the node and back. */
export interface CopyProgress {
  bytes: number;
  total: number;
  /** Of the last half minute. */
  bytesPerSec?: number;
  /** Why the copy does not go to other nodes, one line each. */
  passedOver?: string[];
}
