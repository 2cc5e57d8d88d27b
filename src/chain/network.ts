/** The clock of a chain: its epochs. */

export interface Network {
  name: string;
  /** When epoch 0 began, in ms since 1970. */
  genesis: number;
  /** Length of an epoch in ms. */
  epochMs: number;
}

const EPOCH_MS = 30_000;

/** Filecoin's networks (lotus `build/genesis`, timestamps of their genesis blocks). */
export const NETWORKS: Readonly<Record<string, Network>> = {
  mainnet: { name: 'mainnet', genesis: Date.parse('2020-08-24T22:00:00Z'), epochMs: EPOCH_MS },
  calibration: { name: 'calibration', genesis: Date.parse('2022-11-01T18:13:00Z'), epochMs: EPOCH_MS },
};

/** The epoch that a moment (ms since 1970) belongs to. */
export const epochAt = ({ genesis, epochMs }: Network, moment: number): number =>
  Math.floor((moment - genesis) / epochMs);

/** When an epoch begins, in ms since 1970. */
export const beginOf = ({ genesis, epochMs }: Network, epoch: number): number => genesis + epoch * epochMs;
