/** Settings of systemd units, from `systemctl show`. */
import { access, readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** A unit's properties by name: `KillMode` → `process`. */
export type UnitSettings = Readonly<Record<string, string>>;

const TIMEOUT_MS = 5_000;

/** Whether systemd is the init system (sd_booted(3)); in a container it is not. */
export const systemdRuns = (): Promise<boolean> =>
  access('/run/systemd/system').then(
    () => true,
    () => false,
  );

/**
 * The loaded units whose names match.
 * @param pattern `sealflow-worker*.service`
 * @throws when systemctl is missing or fails
 */
export async function unitSettings(pattern: string, properties: readonly string[]): Promise<UnitSettings[]> {
  const { stdout } = await execa('systemctl', ['show', pattern, `--property=${properties.join(',')}`], {
    timeout: TIMEOUT_MS,
  });
  return parseUnits(stdout);
}

/** Units are separated by an empty line. */
export const parseUnits = (text: string): UnitSettings[] =>
  text
    .split(/\n\n+/)
    .map((block) => block.split('\n').filter((line) => line.includes('=')))
    .filter((lines) => lines.length > 0)
    .map((lines) =>
      Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      ),
    );

/** The service that this process belongs to; undefined when it was started from a shell. */
export const ownUnit = async (): Promise<string | undefined> =>
  parseOwnUnit(await readFile('/proc/self/cgroup', 'utf8'));

/** `0::/system.slice/sealflow-worker.service` → `sealflow-worker.service` (cgroups(7)) */
export const parseOwnUnit = (cgroup: string): string | undefined =>
  /\/([^/\n]+\.service)(?:\/[^\n]*)?$/m.exec(cgroup)?.[1];
