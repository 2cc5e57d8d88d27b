/** config.toml of a host: the file of force-remote-worker, with a few optional additions. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import {
  PHASE_QUEUE_NAMES,
  phaseOfQueueName,
  SECTOR_SIZES,
  sizeOfBytes,
  type PhaseId,
  type SectorSize,
} from './phases.js';
import { explainIssue, shown } from './config-issue.js';
import { listenAddress } from './listen-address.js';
import { isWithin, nodeName } from './paths.js';
import { UserError } from './user-error.js';

const phaseName = z.enum(PHASE_QUEUE_NAMES as [string, ...string[]]);
const absolute = z.string().startsWith('/', 'must be an absolute path');

/** 0.0.0.0, and :: in any spelling. */
const isAnyAddress = (ip: string): boolean => isIP(ip) !== 0 && /^[0:.]+$/.test(ip);

/** In MB = 10^6 bytes per second; the max is still exactly a whole number of bytes. */
const rate = z.number().min(0).max(1e9).default(0);

/** Node timers hold at most 2^31 - 1 ms; a longer delay is treated as 1 ms. */
const MAX_WAIT_SEC = 2_147_483;

const poolSchema = z.strictObject({
  num: z.int().min(1),
  supported_phase: z
    .array(phaseName)
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'names a phase twice'),
  wait_sec: z.number().positive().max(MAX_WAIT_SEC).default(60),
});

/** As the old scheduler was named. */
export const schedulerUrl = z
  .string()
  .regex(/^https?:\/\/[^/\s]+\/?$/, 'must be like http://10.10.19.17:7233 (https for TLS)');

const configSchema = z.strictObject({
  scheduler_url: schedulerUrl,
  local_dir: absolute,
  copy_limit_mb_per_sec: rate,
  copy_limit_total_mb_per_sec: rate,
  group_id: z
    .array(z.int().min(0))
    .min(1)
    .refine((groups) => new Set(groups).size === groups.length, 'names a group twice'),
  sector_size: z.int().refine((bytes) => sizeOfBytes(bytes) !== undefined, {
    error: `must be the bytes of a sector: ${Object.entries(SECTOR_SIZES)
      .map(([name, bytes]) => `${bytes} (${name})`)
      .join(', ')}`,
  }),
  ip: z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IP address')
    .refine(
      (text) => !isAnyAddress(text),
      "means every address: must be this host's own, by which others know it",
    ),
  worker: z.array(poolSchema).min(1),
  'storage-nodes': z
    .array(absolute.refine((path) => nodeName(path) !== '', 'has no name: its last component is the node'))
    .refine((paths) => new Set(paths.map(nodeName)).size === paths.length, {
      error: 'two nodes have the same name',
      when: ({ issues }) => issues.length === 0,
    })
    .default([]),
  allow_system_disk: z.boolean().default(false),
  engine: z
    .strictObject({
      command: z.array(z.string().min(1)).min(1).optional(),
      reserved_cores: z.int().min(0).default(2),
      p1_cores: z.int().min(0).optional(),
      p1_cores_per_sector: z.int().min(1).max(4).optional(),
      environment: z.record(z.string(), z.string()).default({}),
    })
    .prefault({}),
  clean: z.strictObject({ after: z.enum(['proof', 'landed']).default('proof') }).prefault({}),
  metrics: z
    .strictObject({
      listen: z
        .string()
        .refine(
          (text) => listenAddress(text) !== undefined,
          'must be like 0.0.0.0:9090 or [::]:9090: an IP address, and a port from 1 to 65535',
        ),
    })
    .optional(),
});

type RawConfig = z.infer<typeof configSchema>;

/** A pool: `slots` shared by its phases. */
export interface PoolConfig {
  slots: number;
  phases: PhaseId[];
  /** How often a host without room checks again, in milliseconds. */
  waitMs: number;
}

export interface Config {
  schedulerUrl: string;
  localDir: string;
  /** Ceiling of each copy in bytes per second; 0 is none. */
  copyLimitBytesPerSec: number;
  /** Ceiling of all copies of this host together; 0 is none. */
  copyLimitTotalBytesPerSec: number;
  groups: number[];
  size: SectorSize;
  ip: string;
  pools: PoolConfig[];
  storageNodes: string[];
  allowSystemDisk: boolean;
  engine: RawConfig['engine'];
  /** When P6 may delete the scratch: with proof and copy, or not before upstream has reported that the proof is on chain. */
  cleanAfter: 'proof' | 'landed';
  metricsListen: string | undefined;
}

/** @throws UserError (exit 2) that names the file, the key, its value and what is allowed. */
export const readConfig = (file: string): Config => parseConfig(readText(file), file);

/** @throws UserError */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file}: cannot be read: ${(error as Error).message}`);
  }
}

/** @throws UserError that names the line */
export function parseToml(text: string, file: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.split('\n');
    throw new UserError(`${file}:${error.line}:${error.column}: ${reason}`);
  }
}

/** Like {@link readConfig}, from text. */
export function parseConfig(text: string, file: string): Config {
  const toml = parseToml(text, file);
  const parsed = configSchema.safeParse(toml, { reportInput: true });
  if (!parsed.success) {
    throw new UserError(
      parsed.error.issues.map((issue) => `${file}: ${explainIssue(issue, KNOWN_KEYS)}`).join('\n'),
    );
  }
  refuseOwnDirectories(parsed.data, file);
  return fromRaw(parsed.data);
}

/** Checks paths only; links and bind mounts are checked by `storage/own-directory.ts`. @throws UserError */
function refuseOwnDirectories({ local_dir, 'storage-nodes': nodes }: RawConfig, file: string): void {
  const own = resolve(local_dir);
  for (const [i, given] of nodes.entries()) {
    const node = resolve(given);
    const how =
      node === own ? 'is' : isWithin(node, own) ? 'lies in' : isWithin(own, node) ? 'holds' : undefined;
    if (how === undefined) continue;
    throw new UserError(
      `${file}: storage-nodes[${i}] = ${shown(given)}: ${how} local_dir (${local_dir}), where P6 deletes the scratch`,
      { hint: 'name a mounted directory that is neither in local_dir nor around it' },
    );
  }
}

function fromRaw(raw: RawConfig): Config {
  return {
    schedulerUrl: raw.scheduler_url,
    localDir: raw.local_dir,
    copyLimitBytesPerSec: bytesPerSec(raw.copy_limit_mb_per_sec),
    copyLimitTotalBytesPerSec: bytesPerSec(raw.copy_limit_total_mb_per_sec),
    groups: raw.group_id,
    size: sizeOfBytes(raw.sector_size) as SectorSize,
    ip: raw.ip,
    pools: raw.worker.map(({ num, supported_phase, wait_sec }) => ({
      slots: num,
      phases: supported_phase.map((name) => phaseOfQueueName(name) as PhaseId),
      waitMs: wait_sec * 1000,
    })),
    storageNodes: raw['storage-nodes'],
    allowSystemDisk: raw.allow_system_disk,
    engine: raw.engine,
    cleanAfter: raw.clean.after,
    metricsListen: raw.metrics && listenAddress(raw.metrics.listen),
  };
}

/** Engines take whole bytes only, and 0 is no limit: a small one must not become that. */
const bytesPerSec = (megabytes: number): number =>
  megabytes === 0 ? 0 : Math.max(1, Math.round(megabytes * 1e6));

/** By section: `worker` is that of a pool. */
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(configSchema.shape),
  worker: Object.keys(poolSchema.shape),
  engine: ['command', 'reserved_cores', 'p1_cores', 'p1_cores_per_sector', 'environment'],
  clean: ['after'],
  metrics: ['listen'],
};
