/**
 * What must go with a message is known to the chain only: requests that a node answers (lotus `api/api_full.go`, JSON-RPC version 1,
 * amounts in attoFIL). `null` is the tipset: the chain's head.
 */
import { preCommitInfo, type PreCommit, type ProveCommit } from '../../chain/miner-messages.js';
import { SECTOR_SIZES, type SectorSize } from '../../phases.js';
import type { MessageForm } from './form.js';

type Value = MessageForm['value'];

const available = (miner: string) => ({
  method: 'Filecoin.StateMinerAvailableBalance',
  params: [miner, null],
});

/** The deposit depends on the size only (builtin-actors `pre_commit_sector_batch_inner`): asked for one sector, it is that of each. */
export function preCommitValue(miner: string, sectors: readonly PreCommit[]): Value {
  const one = sectors.slice(0, 1).map(preCommitInfo);
  return {
    is: `${sectors.length} × the pre-commit deposit, less what ${miner} has available`,
    ask: [
      { method: 'Filecoin.StateMinerPreCommitDepositForPower', params: [miner, ...one, null] },
      available(miner),
    ],
  };
}

/** As lotus reckons it (storage/pipeline/commit_batch.go `getSectorCollateral`). */
export function proveCommitValue(miner: string, sectors: readonly ProveCommit[], size: SectorSize): Value {
  const pledge = ['DURATION', SECTOR_SIZES[size], 0, null];
  return {
    is:
      `for each sector its pledge less its PreCommitDeposit, less what ${miner} has available; DURATION is the ` +
      "Expiration of its pre-commit less the head's Height",
    ask: [
      { method: 'Filecoin.ChainHead', params: [] },
      ...sectors.map(({ number }) => ({
        method: 'Filecoin.StateSectorPreCommitInfo',
        params: [miner, number, null],
      })),
      { method: 'Filecoin.StateMinerInitialPledgeForSector', params: pledge },
      available(miner),
    ],
  };
}
