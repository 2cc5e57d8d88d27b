/** Whether an NFS mount has options that are right for sealing. */
import type { MountEntry } from '../../mounts/mount-table.js';
import { fail, ok, skipped, together, warn, type Verdict } from '../finding.js';
import { NFS_OPTIONS, parseNfsOptions } from '../nfs-options.js';

/** Those of the kernel's options that a person would want to see. */
const SHOWN = ['vers', 'proto', 'hard', 'soft', 'timeo', 'retrans', 'rsize', 'wsize'];

export function judgeNfs(mount: MountEntry | undefined): Verdict {
  if (!mount || !/^nfs4?$/.test(mount.fsType)) return skipped(`${mount?.fsType ?? 'unknown'}, not NFS`);
  const options = parseNfsOptions(mount.options);
  const verdicts = NFS_OPTIONS.flatMap(({ option, why, wrong, level }) => {
    const found = wrong(options);
    if (found === undefined) return [];
    const hint = `mount it with ${option} (sealflow doctor --print-mounts)`;
    return [(level === 'fail' ? fail : warn)(found, `${option}: ${why}`, hint)];
  });
  const shown = mount.options.filter((text) => SHOWN.includes(text.split('=', 1)[0] ?? ''));
  return together(verdicts, ok(shown.join(',')));
}
