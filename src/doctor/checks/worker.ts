/** What the worker of this host serves at the moment, and whether the host is drained. */
import { VERSION } from '../../version.js';
import { servedOf, statementOf } from '../../workers/serving.js';
import type { WorkerNote } from '../../workers/worker-note.js';
import { ok, skipped, together, warn, type Verdict } from '../finding.js';

/**
 * @param note of the running worker, if this user can see one
 * @param drained since when the host is drained, by the note in the group's directory
 */
export function judgeWorker(note: WorkerNote | undefined, drained: Date | undefined): Verdict {
  const verdicts: Verdict[] = [];
  if (note && note.version !== VERSION)
    verdicts.push(
      warn(
        `the worker runs sealflow ${note.version}`,
        `${VERSION}, which is installed`,
        'restart the worker: its engines go on',
      ),
    );
  const isDrained = note?.drained ?? drained;
  if (isDrained)
    verdicts.push(
      warn(
        note ? statementOf(note) : `drained since ${isDrained.toISOString()}`,
        'a host that takes work',
        'sealflow undrain, when it is to serve again',
      ),
    );
  else if (note && servedOf(note).length < note.configured.length)
    verdicts.push(
      warn(
        statementOf(note),
        `${note.configured.join(' ')} served`,
        'mend what it names; the worker notices by itself',
      ),
    );
  return together(
    verdicts,
    note
      ? ok(`${statementOf(note)} (process ${note.pid})`)
      : skipped('no worker of this config runs here as this user'),
  );
}
