/** Whether an NFS mount has suitable options for sealing. */
import type { MountEntry } from '../../mounts/mount-table.js';
import { fail, ok, skipped, together, warn, type Verdict } from '../finding.js';
import { NFS_OPTIONS, parseNfsOptions } from '../nfs-options.js';

/** The kernel's options that are worth showing to a person. */
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
