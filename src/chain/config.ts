/** orchestrator.toml: where the server is, and which chain the orchestrators watch. */
import { TomlDate } from 'smol-toml';
import { z } from 'zod';
import { parseToml, readConfig, readText, schedulerUrl } from '../config.js';
import { explainIssue } from '../config-issue.js';
import { UserError } from '../user-error.js';
import { NETWORKS, type Network } from './network.js';

const chainSchema = z
  .strictObject({
    network: z.enum(Object.keys(NETWORKS) as [string, ...string[]]).optional(),
    genesis: z.instanceof(TomlDate, { error: 'must be a time' }).optional(),
    epoch_seconds: z.number().positive().max(3600).optional(),
    lotus_api: z.url({ protocol: /^https?$/, error: 'must be an address like http://10.0.0.5:1234/rpc/v1' }),
    token_file: z.string().startsWith('/', 'must be an absolute path').optional(),
    timeout_sec: z.number().positive().max(600).default(30),
    confidence: z.int().min(0).max(900).default(6),
  })
  .refine(({ network, genesis }) => (network === undefined) !== (genesis === undefined), {
    error: 'needs network, or genesis and epoch_seconds: one of both',
  })
  .refine(({ genesis, epoch_seconds }) => (genesis === undefined) === (epoch_seconds === undefined), {
    error: 'genesis and epoch_seconds belong together',
  });

const schema = z.strictObject({ scheduler_url: schedulerUrl.optional(), chain: chainSchema.optional() });

export interface ChainConfig {
  network: Network;
  /** `http://10.0.0.5:1234/rpc/v1` */
  lotusApi: string;
  tokenFile: string | undefined;
  timeoutMs: number;
  /** So many epochs must follow before something on chain is believed to stay. */
  confidence: number;
}

export interface OrchestratorConfig {
  schedulerUrl: string | undefined;
  chain: ChainConfig | undefined;
}

/** A host's config.toml does too: then only where the server is counts. @throws UserError (exit 2) like `readConfig` */
export function readOrchestratorConfig(file: string): OrchestratorConfig {
  const toml = parseToml(readText(file), file) as Record<string, unknown>;
  if ('local_dir' in toml) return { schedulerUrl: readConfig(file).schedulerUrl, chain: undefined };
  const parsed = schema.safeParse(toml, { reportInput: true });
  if (!parsed.success)
    throw new UserError(
      parsed.error.issues.map((issue) => `${file}: ${explainIssue(issue, KNOWN_KEYS)}`).join('\n'),
    );
  const { scheduler_url, chain } = parsed.data;
  return { schedulerUrl: scheduler_url, chain: chain && fromRaw(chain) };
}

function fromRaw(raw: z.infer<typeof chainSchema>): ChainConfig {
  const own = {
    name: 'the network of [chain]',
    genesis: Number(raw.genesis),
    epochMs: (raw.epoch_seconds ?? 0) * 1000,
  };
  return {
    network: NETWORKS[raw.network ?? ''] ?? own,
    lotusApi: raw.lotus_api,
    tokenFile: raw.token_file,
    timeoutMs: raw.timeout_sec * 1000,
    confidence: raw.confidence,
  };
}

const KNOWN_KEYS = { '': Object.keys(schema.shape), chain: Object.keys(chainSchema.shape) };
