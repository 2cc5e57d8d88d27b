/** Who else polls for this group, by the server: versions side by side, and another sector size. */
import type { Poller } from '../../temporal/ask/pollers.js';
import type { PhaseId, SectorSize } from '../../phases.js';
import { VERSION } from '../../version.js';
import { ok, skipped, warn, type Verdict } from '../finding.js';

/** The server lists pollers for five minutes, those that have ended too; a live one polls at least once a minute. */
const RECENT_MS = 120_000;

export function judgeVersions(pollers: readonly Poller[]): Verdict {
  const newest = Math.max(...pollers.map(({ lastAsked }) => lastAsked));
  const live = pollers.filter(({ lastAsked }) => newest - lastAsked < RECENT_MS);
  if (live.length === 0) return skipped('nobody polls');
  const versions = new Map<string, string[]>();
  for (const { version = 'of unknown version', identity } of live)
    versions.set(version, [...new Set([...(versions.get(version) ?? []), identity])]);
  if (versions.size === 1 && versions.has(VERSION)) return ok(`${VERSION} everywhere`);
  const found = [...versions].map(([version, who]) => `${version}: ${who.sort().join(' ')}`).sort();
  return warn(
    found.join('\n'),
    `${VERSION} everywhere, as here`,
    'upgrade the orchestrators first, then the workers; a sector may wait for a worker that understands its job',
  );
}

/** By sector size, the phases that are polled for in the group, and by whom. */
export type Served = Partial<Record<SectorSize, Partial<Record<PhaseId, readonly string[]>>>>;

/** @param ip of this host, whose own polls do not count */
export function judgeSizes(size: SectorSize, ip: string, served: Served): Verdict {
  const others = (of: SectorSize): string[] => {
    const all = Object.values(served[of] ?? {}).flat();
    return [...new Set(all.map((identity) => identity.split('#')[0] as string))]
      .filter((host) => host !== ip)
      .sort();
  };
  const rest = (Object.keys(served) as SectorSize[]).filter(
    (other) => other !== size && others(other).length > 0,
  );
  if (rest.length === 0 || others(size).length > 0) return ok(size);
  return warn(
    `only this host serves ${size}; ${rest.map((other) => `${others(other).join(' ')} ${others(other).length > 1 ? 'serve' : 'serves'} ${other}`).join('; ')}`,
    'one sector_size in all config.toml of a group: a sector goes only to hosts of its own size',
    'correct sector_size in config.toml, or ignore this if the group is to seal both',
  );
}
