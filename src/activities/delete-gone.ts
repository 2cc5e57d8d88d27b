import { keepLogs } from '../group/kept-logs.js';
import { keptLogs, type OpenGroup } from '../paths.js';
import { deleteGone, type Deletion } from '../sector-directory/gone.js';
import type { Deps } from './deps.js';
import type { Task } from './task.js';

/**
 * Deletes the directories of the task's sector that were renamed away; what its engines have logged stays.
 * @param deletedBy decides where: what P6 keeps and what an abort keeps lie side by side
 */
export const deleteKeepingLogs = (
  { journal }: Deps,
  group: OpenGroup,
  task: Task,
  deletedBy: 'P6' | 'abort',
  isOurs?: Deletion['isOurs'],
): Promise<void> => {
  const between = (): void => task.throwIfCancelled();
  const file = keptLogs(group, task.sector, deletedBy);
  return deleteGone(group, task.sector, {
    between,
    keepLogs: async (directories, isAdded) => {
      const lack = await keepLogs({ directories, file, isAdded, between });
      if (lack !== undefined) journal.warns({ sector: task.seal.sector, phase: deletedBy }, lack);
    },
    ...(isOurs && { isOurs }),
  });
};
