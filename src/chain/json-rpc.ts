/** Calls of a node that speaks Lotus' JSON-RPC v1: lotus, forest, venus. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ChainError } from './chain.js';

export interface JsonRpcOptions {
  /** `http://10.0.0.5:1234/rpc/v1` */
  url: string;
  /** A file with the token of the API; read anew for each call, as nodes renew it. */
  tokenFile?: string | undefined;
  timeoutMs: number;
}

const answerSchema = z.object({
  result: z.unknown().optional(),
  error: z.object({ code: z.number().optional(), message: z.string() }).optional().nullable(),
});

/** What the node itself says about a call, in an answer of the right form. */
export class NodeRefusal extends ChainError {}

export class JsonRpc {
  private calls = 0;
  /** For people: what follows a question mark may be a key. */
  private readonly shown: string;

  constructor(private readonly options: JsonRpcOptions) {
    const { origin, pathname } = new URL(options.url);
    this.shown = `${origin}${pathname}`;
  }

  /**
   * @param method without its prefix: `ChainHead`
   * @throws NodeRefusal with the node's own words; ChainError with the cause for all that is no answer. Never names the token.
   */
  async call<T>(method: string, params: readonly unknown[], form: z.ZodType<T>): Promise<T> {
    const { options, shown } = this;
    const { url, timeoutMs } = options;
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: ++this.calls,
      method: `Filecoin.${method}`,
      params,
    });
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(await this.authorization()) },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      throw new ChainError(`${shown} does not answer: ${causeOf(error, timeoutMs)}`);
    });
    if (response.status === 401 || response.status === 403)
      throw new ChainError(
        `${shown} refuses the token${options.tokenFile === undefined ? ': none is set (token_file)' : ` of ${options.tokenFile}`}`,
      );
    const text = await response.text().catch((error: unknown) => {
      throw new ChainError(`${shown} broke off its answer: ${causeOf(error, timeoutMs)}`);
    });
    const answer = answerSchema.safeParse(parseJson(text)).data;
    if (!answer)
      throw new ChainError(
        `${shown} is no Lotus API: HTTP ${response.status}, ${JSON.stringify(text.slice(0, 80))}`,
      );
    if (answer.error) throw new NodeRefusal(`${method}: ${answer.error.message}`);
    const parsed = form.safeParse(answer.result);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new ChainError(
      `${shown} answers ${method} in another form: ${issue?.path.join('.')} ${issue?.message}`,
    );
  }

  private async authorization(): Promise<Record<string, string>> {
    const { tokenFile } = this.options;
    if (tokenFile === undefined) return {};
    const content = await readFile(tokenFile, 'utf8').catch((error: unknown) => {
      throw new ChainError(`token_file: ${(error as Error).message}`);
    });
    const token = content.trim();
    // Whatever else it is, it is refused here: fetch would name it in its error.
    if (!/^[\x21-\x7e]+$/.test(token))
      throw new ChainError(
        `token_file: ${tokenFile} ${token === '' ? 'is empty' : 'holds more than a token'}`,
      );
    return { authorization: `Bearer ${token}` };
  }
}

/** fetch hides the cause: `fetch failed`. */
function causeOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `nothing within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  // Of a name with several addresses, each has its own error: the one that holds them has no message.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error && first.message ? first.message : (error as Error).message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
