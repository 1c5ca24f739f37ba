import type { SpiffeId } from '@steeple/spiffe';
import type { ServerRequest } from './request-fields.ts';
import { RequestRefused } from './request-refused.ts';

/** What every verifier tells about the sender of a request. */
export interface Caller {
  readonly id: SpiffeId;
}

/** What a refusal is written to: a response of `node:http`, of `node:http2` or of what is built on them. */
interface RefusalTarget {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

/** A handler as Express, Connect and servers of `node:http` and `node:http2` call it. */
export type Middleware<R extends ServerRequest> = (request: R, response: RefusalTarget, next: () => void) => void;

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
    // A verifier of the application's own may throw at once.
    const verdict = (async () => verify(request))();
    verdict.then(
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

function answer(error: Error, response: RefusalTarget): void {
  const refused = error instanceof RequestRefused ? error : undefined;
  // Whatever else happens in a verifier is our fault, and nobody gets in by it.
  const status = refused?.status ?? 500;
  const detail = refused?.message ?? 'the sender of the request could not be verified';
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...refused?.headers };
  response.writeHead(status, headers);
  response.end(JSON.stringify({ status, title: refused?.code ?? 'internal', detail }));
}
