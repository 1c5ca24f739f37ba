import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { RequestRefused } from './request-refused.ts';

/** A request as a server has it: of `node:http`, `node:https`, `node:http2`, Express and the like, or of the Fetch standard. */
export type ServerRequest = IncomingMessage | Http2ServerRequest | Request;

/**
 * The value of a header field that may occur once; `undefined` if it does not.
 *
 * @throws RequestRefused 400 if it occurs more often: which of them counts must not be a matter of the reader
 */
export function fieldOf(request: ServerRequest, name: string): string | undefined {
  if (!('rawHeaders' in request)) return request.headers.get(name) ?? undefined;
  const values: string[] = [];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    if (request.rawHeaders[at]?.toLowerCase() === name) values.push(request.rawHeaders[at + 1] ?? '');
  }
  if (values.length > 1) throw new RequestRefused(400, 'invalid-credential', `more than one header field ${name}`);
  return values[0];
}

/**
 * Path of the target URI, without query.
 *
 * @throws RequestRefused 400 for a target that is no path, such as a whole URL
 */
export function pathOf(request: ServerRequest): string {
  if (!('rawHeaders' in request)) return new URL(request.url).pathname;
  // Express takes the mount point out of `url`.
  const { originalUrl } = request as { originalUrl?: unknown };
  const target = typeof originalUrl === 'string' ? originalUrl : (request.url ?? '');
  const [path = ''] = target.split(/[?#]/, 1);
  if (!path.startsWith('/')) throw new RequestRefused(400, 'invalid-credential', 'the request target is no path');
  return path;
}
