/** A sector as `status --json` and `start --wait --json` print it: what the workflow has as base64, for Go, is hex here. */
import type { SealResult } from '../contract.js';
import type { SectorStatus } from '../temporal/ask/sector-status.js';
import { pieceCid, sectorCid } from '../chain/cids.js';
import type { Sealed, Shown } from './json-forms.js';

export function shownStatus(status: SectorStatus): Shown {
  const { sector, size, group, priority, workflow, runId, state, phases, stepsBack, attention } = status;
  const {
    ticket,
    ticketEpoch,
    ticketLife,
    draws,
    deadline,
    late,
    needsMs,
    seed,
    chain,
    preCommitEpoch,
    storage,
    bytesFreed,
    engines,
    handedBack,
    waits,
    inQueue,
  } = status;
  return {
    ...{ sector, size, group, priority, workflow, runId, state, phases, stepsBack },
    attention: attention.map((one) => ({ ...one, since: new Date(one.since).toISOString() })),
    ...{ ticket, ticketEpoch, ticketLife, draws, deadline, late, needsMs },
    ...{ seed, chain, preCommitEpoch, ...commitmentsOf(status), storage, bytesFreed },
    engines: engines.map(({ phase, host, at, step, fraction, disk, copy }) => ({
      ...{ phase, host, at, step, fraction: fraction ?? undefined, disk, copy },
    })),
    ...{ handedBack, waits, inQueue },
  };
}

export const shownResult = (result: SealResult): Sealed => {
  const { sector, storage, bytesFreed } = result;
  return { sector, ...commitmentsOf(result), storage, bytesFreed };
};

type Commitments = Pick<Shown, 'commD' | 'pieceCid' | 'commR' | 'sectorCid' | 'proof'>;

export function commitmentsOf(base64: Pick<SectorStatus, 'commD' | 'commR' | 'proof'>): Commitments {
  const [commD, commR, proof] = [base64.commD, base64.commR, base64.proof].map(
    (text) => text && Buffer.from(text, 'base64'),
  );
  return {
    ...(commD && { commD: commD.toString('hex'), pieceCid: pieceCid(commD) }),
    ...(commR && { commR: commR.toString('hex'), sectorCid: sectorCid(commR) }),
    ...(proof && { proof: proof.toString('hex') }),
  };
}
