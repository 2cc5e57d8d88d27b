/** What the worker of this host serves at the moment, and whether the host is drained. */
import { servedOf, statementOf, type HostStatement } from '../../host-statement.js';
import { VERSION } from '../../version.js';
import { ok, skipped, together, warn, type Verdict } from '../finding.js';

/**
 * @param known what the running worker tells of itself, if there is one
 * @param drained since when the host is drained, by the note in the group's directory
 */
export function judgeWorker(
  known: HostStatement | 'no server' | undefined,
  drained: Date | undefined,
): Verdict {
  const told = known === 'no server' ? undefined : known;
  const verdicts: Verdict[] = [];
  if (told && told.version !== VERSION)
    verdicts.push(
      warn(
        `the worker runs sealflow ${told.version}`,
        `${VERSION}, which is installed`,
        'restart the worker: its engines go on',
      ),
    );
  const isDrained = told?.drained ?? drained;
  if (isDrained)
    verdicts.push(
      warn(
        told ? statementOf(told) : `drained since ${isDrained.toISOString()}`,
        'a host that takes work',
        'sealflow undrain, when it is to serve again',
      ),
    );
  else if (told && servedOf(told).length < told.configured.length)
    verdicts.push(
      warn(
        statementOf(told),
        `${told.configured.join(' ')} served`,
        'mend what it names; the worker notices by itself, unless it says that it is to be restarted',
      ),
    );
  return together(
    verdicts,
    told
      ? ok(`${statementOf(told)} (process ${told.pid})`)
      : skipped(known === 'no server' ? known : 'no worker of this config runs'),
  );
}
