/** Activities that take their slots as real ones do, and do nothing else. */
export function noops({ enterSlot }) {
  const bytes = Buffer.alloc(32).toString('base64');
  const phase = async (input) => {
    const slot = enterSlot({ phase: input.phase, sector: input.seal.sector });
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
