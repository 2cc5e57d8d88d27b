/** The systemd unit that the worker runs under. */
import { userInfo } from 'node:os';
import { ownUnit, systemdRuns, unitSettings, type UnitSettings } from '../../machine/systemd.js';
import { fail, ok, skipped, together, warn, type Verdict } from '../finding.js';

const UNITS = 'sealflow-worker*.service';

/** Required settings, and what happens without them. */
const WANTED = [
  [
    'KillMode',
    'process',
    'a restart of the worker kills all engines: P1 loses its current layer, P2 to P4 everything',
  ],
  ['OOMPolicy', 'continue', 'one engine that uses too much memory ends the worker and all other engines'],
] as const;
const MIN_FILES = 65_536;

export async function checkUnit(): Promise<Verdict> {
  if (!(await systemdRuns())) return skipped('systemd does not run here');
  const own = await ownUnit();
  const pattern = own?.startsWith('sealflow') ? own : UNITS;
  const names = [...WANTED.map(([name]) => name), 'Id', 'LoadState', 'LimitNOFILE', 'User'];
  return judgeUnits(await unitSettings(pattern, names), userInfo());
}

/** @param user the user that doctor runs as */
export function judgeUnits(units: readonly UnitSettings[], user: { username: string; uid: number }): Verdict {
  const loaded = units.filter(({ LoadState }) => LoadState === 'loaded');
  if (loaded.length === 0) return skipped(`no unit ${UNITS} is loaded`);
  const verdicts = loaded.flatMap((unit) => [...judgeSettings(unit), ...judgeUser(unit, user)]);
  return together(verdicts, ok(loaded.map(({ Id }) => Id).join(' ')));
}

function judgeSettings(unit: UnitSettings): Verdict[] {
  const { Id = '', LimitNOFILE = '' } = unit;
  const wrong = WANTED.filter(([name, value]) => unit[name] !== value).map(([name, value, why]) =>
    fail(`${Id}: ${name}=${unit[name] ?? ''}`, `${name}=${value}: else ${why}`, `systemctl edit ${Id}`),
  );
  if (LimitNOFILE === 'infinity' || Number(LimitNOFILE) >= MIN_FILES) return wrong;
  const few = warn(
    `${Id}: LimitNOFILE=${LimitNOFILE}`,
    `LimitNOFILE=${MIN_FILES} or more`,
    `systemctl edit ${Id}`,
  );
  return [...wrong, few];
}

/** The write checks ran as doctor's user, so they say nothing about another one. */
function judgeUser(
  { Id = '', User = '' }: UnitSettings,
  { username, uid }: { username: string; uid: number },
): Verdict[] {
  const worker = User || 'root';
  if (worker === username || worker === String(uid)) return [];
  return [
    warn(
      `${Id} runs as ${worker}, doctor as ${username}`,
      'doctor as the same user: write permissions were checked as another',
      `sudo -u ${worker} sealflow doctor …`,
    ),
  ];
}
