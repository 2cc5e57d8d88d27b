/** Readiness checks of the storage nodes. */
import { NODE_PHASES, type PhaseId } from '../phases.js';
import type { ReadinessCheck } from './readiness.js';

/**
 * One check per node. P5 and P6 are not served while no node is in order. If at least one is, a failing node is
 * only logged, and blocks only the P6 of sectors stored on it.
 * @param checkNode throws when the node may not be written to
 */
export function nodeReadinessChecks(
  nodes: readonly string[],
  checkNode: (node: string) => Promise<void>,
  served: readonly PhaseId[],
): Record<string, { phases: PhaseId[]; check: ReadinessCheck }> {
  const phases = served.filter((phase) => NODE_PHASES.includes(phase));
  if (phases.length === 0) return {};
  const unfitReason = (node: string): Promise<string | undefined> =>
    checkNode(node).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
  const alone = nodes.length === 1;
  const each = nodes.map((node) => [
    `storage node ${node}`,
    { phases: alone ? phases : [], check: () => unfitReason(node) },
  ]);
  const shortage = async (): Promise<string | undefined> => {
    const reasons = await Promise.all(nodes.map(unfitReason));
    return reasons.every(Boolean) ? 'no storage node is in order' : undefined;
  };
  return {
    ...(Object.fromEntries(each) as Record<string, { phases: PhaseId[]; check: ReadinessCheck }>),
    ...(nodes.length > 1 && { 'storage nodes': { phases, check: shortage } }),
  };
}
