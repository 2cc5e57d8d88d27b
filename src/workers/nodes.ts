/** Whether the storage nodes are mounted as they should be: what Readiness looks at. */
import type { PhaseId } from '../phases.js';
import type { ReadinessCheck } from './readiness.js';

const NEED_NODE: readonly PhaseId[] = ['P5', 'P6'];

/**
 * A check for each node. P5 and P6 are not served while none of them is in order; where some are, one that is not is told, and
 * holds up only the P6 of what lies on it.
 * @param checkNode throws when nothing may be written there
 */
export function nodeChecks(
  nodes: readonly string[],
  checkNode: (node: string) => Promise<void>,
  served: readonly PhaseId[],
): Record<string, { phases: PhaseId[]; check: ReadinessCheck }> {
  const phases = served.filter((phase) => NEED_NODE.includes(phase));
  if (phases.length === 0) return {};
  const whyNot = (node: string): Promise<string | undefined> =>
    checkNode(node).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
  const alone = nodes.length === 1;
  const each = nodes.map((node) => [
    `storage node ${node}`,
    { phases: alone ? phases : [], check: () => whyNot(node) },
  ]);
  const none = async (): Promise<string | undefined> => {
    const reasons = await Promise.all(nodes.map(whyNot));
    return reasons.every(Boolean) ? 'no storage node is in order' : undefined;
  };
  return {
    ...(Object.fromEntries(each) as Record<string, { phases: PhaseId[]; check: ReadinessCheck }>),
    ...(nodes.length > 1 && { 'storage nodes': { phases, check: none } }),
  };
}
