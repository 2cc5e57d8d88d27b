import { sectorFileName, sectorOf } from '#dist/sector.js';

const NEVER = new AbortController().signal;

/**
 * Activities that take their slots as real ones do, and do nothing else. Typed by the contract, so that the bench
 * fails to compile where the activities change, instead of to run.
 * @param {{ slots: Pick<import('#dist/activities/deps.js').Deps['slots'], 'enter'> }} deps
 * @returns {import('#dist/contract.js').SealActivities}
 */
export function noops({ slots }) {
  const bytes = Buffer.alloc(32).toString('base64');
  /** @param {import('#dist/contract.js').PhaseInput} input @returns {Promise<import('#dist/contract.js').PhaseResult>} */
  const phase = async (input) => {
    const sector = sectorFileName(sectorOf(input.seal.sector));
    const slot = await slots.enter({ phase: input.phase, sector }, { ms: 1, signal: NEVER });
    try {
      return {
        v: 1,
        phase: input.phase,
        at: `1/${input.phase}-1`,
        digest: '',
        host: 'bench',
        seconds: 0,
        commR: bytes,
        commD: bytes,
      };
    } finally {
      slot?.leave();
    }
  };
  return {
    preCommitPhase1: phase,
    preCommitPhase2: phase,
    commitPhase1: phase,
    commitPhase2: phase,
    copySector: phase,
    cleanSector: async () => ({
      v: 1,
      host: 'bench',
      seconds: 0,
      storage: { node: '', sealed: '', cache: '', receipt: '' },
      bytesFreed: 0,
    }),
    stopSector: async () => ({ v: 1, stopped: [] }),
    abortSector: async () => ({ v: 1, stopped: [], bytesFreed: 0 }),
  };
}
