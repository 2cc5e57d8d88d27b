/** Whether local_dir is the directory of the config's group, according to its marker file. */
import type { Config } from '../../config.js';
import { NotOfGroupError, readMarker, type Marker } from '../../group/marker.js';
import { fail, ok, warn, type Verdict } from '../finding.js';

export async function checkGroup(config: Config, namespace: string): Promise<Verdict> {
  try {
    return judgeGroup(config, namespace, await readMarker(config.localDir));
  } catch (error) {
    if (!(error instanceof NotOfGroupError)) throw error;
    return judgeGroup(config, namespace, error.message);
  }
}

/**
 * @param namespace Temporal namespace that this host works for
 * @param marker the marker, or the reason why there is none
 */
export function judgeGroup(
  { groups, localDir }: Config,
  namespace: string,
  marker: Marker | string,
): Verdict {
  const wanted = `the directory of group ${groups.join(' or ')}`;
  if (typeof marker === 'string') {
    return fail(
      marker,
      wanted,
      `mount it; on the P1 host of a new group: sealflow setup --local-dir ${localDir} --group ${groups[0]}`,
    );
  }
  if (!groups.includes(marker.group)) {
    return fail(
      `the directory of group ${marker.group}`,
      wanted,
      'correct group_id, or mount the right directory: P2 would not find what P1 has written',
    );
  }
  if (marker.namespace !== undefined && marker.namespace !== namespace) {
    return fail(
      `the directory of Temporal namespace ${marker.namespace}`,
      `the directory of ${namespace}`,
      'set TEMPORAL_NAMESPACE, or mount the right directory: each chain has its own namespace and directories',
    );
  }
  const others = groups.filter((group) => group !== marker.group);
  if (others.length === 0) return ok(`group ${marker.group}, sectors in nfs/${marker.subdirectory}`);
  return warn(
    `the directory of group ${marker.group} only`,
    'one group per config.toml: a directory belongs to one group',
    `remove ${others.join(', ')} from group_id, and give each other group its own config.toml`,
  );
}
