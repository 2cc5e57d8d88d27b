/** Whether the storage nodes answer: what Readiness looks at. */
import { MountHungError } from '../mounts/mounts.js';
import { statfs } from '../mounts/remote-fs.js';
import type { PhaseId } from '../phases.js';
import type { Check } from './readiness.js';

const NEED_NODE: readonly PhaseId[] = ['P5', 'P6'];

/**
 * A check for each node. P5 and P6 are not served while none of them answers; where some do, one that hangs is told, and
 * holds up only the P6 of what lies on it.
 */
export function nodesSeen(
  nodes: readonly string[],
  served: readonly PhaseId[],
): Record<string, { phases: PhaseId[]; check: Check }> {
  const phases = served.filter((phase) => NEED_NODE.includes(phase));
  if (phases.length === 0) return {};
  const alone = nodes.length === 1;
  const each = nodes.map((node) => [
    `storage node ${node}`,
    { phases: alone ? phases : [], check: () => whyNot(node) },
  ]);
  const none = async (): Promise<string | undefined> => {
    const reasons = await Promise.all(nodes.map(whyNot));
    return reasons.every(Boolean) ? 'no storage node answers' : undefined;
  };
  return {
    ...(Object.fromEntries(each) as Record<string, { phases: PhaseId[]; check: Check }>),
    ...(nodes.length > 1 && { 'storage nodes': { phases, check: none } }),
  };
}

/** A node that is not there is told by the phase that wants it. */
async function whyNot(node: string): Promise<string | undefined> {
  try {
    await statfs(node);
  } catch (error) {
    if (error instanceof MountHungError) return error.message;
  }
  return undefined;
}
