/** One request for the rest of a file, and what may go wrong with it. */
import { Refused } from './gateways.js';

/** The transfer has not begun, or has ended too early; trying again may help. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** The answer of a server that was asked for the bytes of a file from some position on. */
export interface Answer {
  /** Position of the first byte in `body`: 0 when the server sends the whole file whatever was asked for. */
  from: number;
  /** Length of the whole file, if the server says. */
  total: number | undefined;
  /** Names this version of the file; undefined if the server has none that may be used for a range. */
  etag: string | undefined;
  /** The bytes. @throws BrokenOff when they end too early or the deadline is over */
  body: AsyncIterable<Uint8Array>;
}

/** Ends a request over which no bytes come: connections may stay open for hours after their server is gone. */
class IdleDeadline {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(ms: number, outer: AbortSignal | undefined) {
    const { controller } = this;
    this.timer = setTimeout(() => controller.abort(new BrokenOff(`no bytes for ${ms / 1000} s`)), ms);
    this.signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal;
  }

  /** Something came. */
  restart = (): void => void this.timer.refresh();
  end = (): void => clearTimeout(this.timer);
}

/** Answers that another try does not change. Of the others, a server may recover. */
const isFinal = (status: number): boolean =>
  status >= 400 && status < 500 && ![408, 425, 429].includes(status);

/**
 * Asks for the bytes from position `from` on.
 *
 * @param etag of the bytes that are there already: if the file has changed, the server sends it from its start
 * @param idleMs the longest time without a byte
 * @returns `nothing-left` when the server says that it has no bytes from there on
 * @throws BrokenOff; Refused; the signal's reason when aborted
 */
export async function requestRest(
  url: string,
  {
    from,
    etag,
    idleMs,
    signal,
  }: { from: number; etag?: string | undefined; idleMs: number; signal?: AbortSignal | undefined },
): Promise<Answer | 'nothing-left'> {
  const deadline = new IdleDeadline(idleMs, signal);
  try {
    // Lengths and positions are those of the file, not of a compressed form of it.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (from > 0) {
      headers['range'] = `bytes=${from}-`;
      if (etag !== undefined) headers['if-range'] = etag;
    }
    const response = await fetch(url, { headers, signal: deadline.signal });
    const answer = understand(response, from);
    if (answer !== 'nothing-left') return { ...answer, body: guarded(response.body ?? [], deadline, signal) };
    await response.body?.cancel();
    deadline.end();
    return answer;
  } catch (error) {
    deadline.end();
    throw asBrokenOff(error, signal);
  }
}

function understand({ status, headers }: Response, asked: number): Omit<Answer, 'body'> | 'nothing-left' {
  // Weak ones name versions that are equal in meaning, not in bytes.
  const etag = headers.get('etag')?.startsWith('"') ? (headers.get('etag') ?? undefined) : undefined;
  if (status === 200) return { from: 0, total: lengthOf(headers.get('content-length')), etag };
  if (status === 416 && asked > 0) return 'nothing-left';
  if (status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
    if (Number(from) !== asked)
      throw new BrokenOff('the server sends another part of the file than was asked for');
    return { from: asked, total: lengthOf(total), etag };
  }
  const text = `the server answers ${status}`;
  throw isFinal(status) ? new Refused(text) : new BrokenOff(text);
}

const lengthOf = (text: string | null | undefined): number | undefined =>
  text && /^\d+$/.test(text) ? Number(text) : undefined;

async function* guarded(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  deadline: IdleDeadline,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) {
      deadline.restart();
      yield chunk;
    }
  } catch (error) {
    throw asBrokenOff(error, signal);
  } finally {
    deadline.end();
  }
}

/** An error of `fetch` says little (`fetch failed`, `terminated`); its cause says what happened. */
function asBrokenOff(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof BrokenOff || error instanceof Refused || !(error instanceof Error)) return error;
  const { cause } = error;
  const text = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return new BrokenOff(text ?? error.message, { cause: error });
}
