import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { SpiffeClientOptions } from './connect.ts';
import { spiffeHttpsAgent } from './https-agent.ts';

/** `fetch` for SPIFFE servers. Dispose it to close its idle connections. */
export interface SpiffeFetch extends Disposable {
  (url: string | URL, init?: RequestInit): Promise<Response>;
}

/**
 * A `fetch` whose every connection is SPIFFE mTLS. Differences to the global one: https only, redirects are handed back
 * instead of followed (another server would be another identity), and bodies are not decompressed.
 */
export function spiffeFetch(options: SpiffeClientOptions): SpiffeFetch {
  const agent = spiffeHttpsAgent(options);
  const fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const wanted = new Request(url, init);
    if (new URL(wanted.url).protocol !== 'https:') throw new TypeError('a SPIFFE fetch needs an https URL');
    const { method, headers, signal, body } = wanted;
    const call = request(wanted.url, { agent, method, headers: Object.fromEntries(headers), signal });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      call.once('response', resolve).once('error', reject);
    });
    if (body === null) call.end();
    // Its failure destroys the call, which then fails `answered`.
    else pipeline(Readable.fromWeb(body as ReadableStream), call).catch(() => {});
    return responseOf(await answered);
  };
  return Object.assign(fetch, { [Symbol.dispose]: () => agent.destroy() });
}

/** Statuses whose response has no body (Fetch standard, "null body status"). */
const BODILESS = new Set([204, 205, 304]);

function responseOf(message: IncomingMessage): Response {
  const { statusCode: status = 500, statusMessage: statusText = '', rawHeaders } = message;
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  if (BODILESS.has(status)) message.resume();
  const body = BODILESS.has(status) ? null : (Readable.toWeb(message) as globalThis.ReadableStream);
  return new Response(body, { status, statusText, headers });
}
