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
    genesis: z
      // Without a zone it would be that of each orchestrator's host.
      .custom<TomlDate>(
        (time) => time instanceof TomlDate && time.isDateTime() && !time.isLocal(),
        'must be a time without quotes, like 2026-01-01T00:00:00Z',
      )
      .optional(),
    epoch_seconds: z.number().positive().max(3600).optional(),
    lotus_api: z
      .url({ protocol: /^https?$/, error: 'must be an address like http://10.0.0.5:1234/rpc/v1' })
      .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), 'must not hold a password: token_file has the token')
      .optional(),
    command: z
      .array(z.string().min(1))
      .min(1)
      .refine(([program = '']) => program.startsWith('/') || !program.includes('/'), {
        when: ({ issues }) => issues.length === 0,
        error: 'must begin with an absolute path, or a name in PATH',
      })
      .optional(),
    token_file: z.string().startsWith('/', 'must be an absolute path').optional(),
    timeout_sec: z.number().positive().max(600).default(30),
    confidence: z.int().min(0).max(900).default(6),
  })
  .refine(({ network, genesis }) => (network === undefined) !== (genesis === undefined), {
    error: 'needs network, or genesis and epoch_seconds: one of both',
  })
  .refine(({ genesis, epoch_seconds }) => (genesis === undefined) === (epoch_seconds === undefined), {
    error: 'genesis and epoch_seconds belong together',
  })
  .refine(({ lotus_api, command }) => (lotus_api === undefined) !== (command === undefined), {
    error: 'needs lotus_api or command: one of both',
  })
  .refine(({ token_file, command }) => token_file === undefined || command === undefined, {
    error: 'token_file belongs to lotus_api: a command finds its own',
  });

const schema = z.strictObject({ scheduler_url: schedulerUrl.optional(), chain: chainSchema.optional() });

export interface ChainConfig {
  network: Network;
  /** `http://10.0.0.5:1234/rpc/v1`; undefined where there is a command. */
  lotusApi: string | undefined;
  tokenFile: string | undefined;
  /** A program that answers in the node's place, with its arguments. */
  command: string[] | undefined;
  /** Of each call. */
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
    command: raw.command,
    timeoutMs: raw.timeout_sec * 1000,
    confidence: raw.confidence,
  };
}

/** Where it is looked at, for people. */
export const sourceOf = ({ lotusApi, command }: ChainConfig): string =>
  lotusApi === undefined ? `by ${command?.join(' ')}` : `at ${lotusApi.replace(/\?.*/, '')}`;

const KNOWN_KEYS = { '': Object.keys(schema.shape), chain: Object.keys(chainSchema.shape) };
