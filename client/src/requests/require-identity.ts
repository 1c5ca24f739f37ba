import type { ServerResponse } from 'node:http';
import type { SpiffeId } from '@steeple/spiffe';
import type { ServerRequest } from './request-fields.ts';
import { RequestRefused } from './request-refused.ts';

/** What every verifier tells about the sender of a request. */
export interface Caller {
  readonly id: SpiffeId;
}

/** A handler as Express, Connect and `node:http` servers call it. */
export type Middleware<R extends ServerRequest> = (
  request: R,
  response: Pick<ServerResponse, 'writeHead' | 'end'>,
  next: () => void,
) => void;

export interface RequireIdentityOptions {
  /** Told of each refusal, with its reason as `cause`. The sender is not told that. */
  readonly onRefused?: ((error: Error) => void) | undefined;
}

const callers = new WeakMap<object, Caller>();

/**
 * Lets only requests through whose sender the verifier knows; {@link callerOf} then tells who it is. All others are
 * answered here, with the status of the refusal and a problem document (RFC 9457).
 */
export function requireIdentity<R extends Exclude<ServerRequest, Request>>(
  verify: (request: R) => Promise<Caller>,
  options: RequireIdentityOptions = {},
): Middleware<R> {
  return (request, response, next) => {
    verify(request).then(
      (caller) => {
        callers.set(request, caller);
        next();
      },
      (error: unknown) => {
        const reason = error instanceof Error ? error : new Error(String(error));
        answer(reason, response);
        options.onRefused?.(reason);
      },
    );
  };
}

/** Who sent a request that {@link requireIdentity} let through. @throws TypeError for any other request */
export function callerOf(request: object): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new TypeError('the sender of this request was not verified');
  return caller;
}

function answer(error: Error, response: Parameters<Middleware<never>>[1]): void {
  const refused = error instanceof RequestRefused ? error : undefined;
  // Whatever else happens in a verifier is our fault, and nobody gets in by it.
  const status = refused?.status ?? 500;
  const detail = refused?.message ?? 'the sender of the request could not be verified';
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...refused?.headers };
  response.writeHead(status, headers);
  response.end(JSON.stringify({ status, title: refused?.code ?? 'internal', detail }));
}
