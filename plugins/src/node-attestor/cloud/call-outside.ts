import { IssuerError } from '@steeple/core';

/** One HTTP request to a provider's service or metadata endpoint. */
export interface OutsideCall {
  /** For people, in messages: "the instance identity document". */
  readonly what: string;
  readonly url: URL;
  readonly method?: 'GET' | 'PUT' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Seconds for the whole exchange. */
  readonly timeout?: number;
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
}

export interface OutsideAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What the cloud attestors ask with; tests put another in its place. */
export type CallOutside = (call: OutsideCall) => Promise<OutsideAnswer>;

const DEFAULT_TIMEOUT = 10;
const DEFAULT_MAX_BYTES = 1024 * 1024;

/**
 * Asks once, bounded in time and size, following no redirect: nobody but the configured endpoint gets the headers. The
 * body never reaches a message.
 *
 * @throws {IssuerError} `unavailable`; what `signal` was aborted with
 */
export const callOutside: CallOutside = async (call) => {
  call.signal.throwIfAborted();
  const { timeout = DEFAULT_TIMEOUT, maxBytes = DEFAULT_MAX_BYTES } = call;
  const deadline = AbortSignal.timeout(timeout * 1000);
  try {
    const response = await fetch(call.url, {
      method: call.method ?? 'GET',
      headers: { ...call.headers },
      body: call.body ?? null,
      redirect: 'manual',
      signal: AbortSignal.any([call.signal, deadline]),
    });
    return { status: response.status, headers: response.headers, body: await readAtMost(response, maxBytes) };
  } catch (cause) {
    call.signal.throwIfAborted();
    const reason = deadline.aborted ? `no answer within ${timeout} s` : reasonOf(cause);
    throw new IssuerError('unavailable', `${call.what} cannot be had from ${call.url.host}: ${reason}`, { cause });
  }
};

/**
 * The answer's body, if its status is 200.
 *
 * @throws {IssuerError} `unavailable`
 */
export async function askOutside(ask: CallOutside, call: OutsideCall): Promise<Uint8Array> {
  const { status, body } = await ask(call);
  if (status === 200) return body;
  throw new IssuerError('unavailable', `${call.what} cannot be had from ${call.url.host}: HTTP status ${status}`);
}

async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > maxBytes) throw new TooLong(`the answer has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

class TooLong extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof TooLong) return error.message;
  const code = (error as { cause?: { code?: unknown } }).cause?.code;
  return typeof code === 'string' ? code : 'the exchange failed';
}
