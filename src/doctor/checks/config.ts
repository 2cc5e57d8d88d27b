/** Which phases the config asks this host to serve, and whether it can. */
import type { Config } from '../../config.js';
import { NODE_PHASES, PHASE_IDS, type PhaseId } from '../../phases.js';
import { fail, ok, type Verdict } from '../finding.js';

export const declaredPhases = ({ pools }: Pick<Config, 'pools'>): PhaseId[] =>
  PHASE_IDS.filter((id) => pools.some(({ phases }) => phases.includes(id)));

/** Total slots of all pools that contain a phase. */
export const slotsOf = ({ pools }: Pick<Config, 'pools'>, phase: PhaseId): number =>
  pools.filter(({ phases }) => phases.includes(phase)).reduce((sum, { slots }) => sum + slots, 0);

export function judgeConfig(config: Pick<Config, 'pools' | 'storageNodes' | 'groups' | 'size'>): Verdict {
  const served = declaredPhases(config);
  const needNode = served.filter((phase) => NODE_PHASES.includes(phase));
  if (needNode.length > 0 && config.storageNodes.length === 0) {
    return fail(
      `${needNode.join(' ')} in supported_phase, but no storage-nodes`,
      'a mounted directory to copy finished sectors to: without it these phases are not served',
      'add a line like storage-nodes = ["/mnt/nfs/10.10.4.23"] above the first [[worker]]',
    );
  }
  const group = `group${config.groups.length > 1 ? 's' : ''} ${config.groups.join(', ')}`;
  return ok(`${served.join(' ')} of ${group}, ${config.size}`);
}
