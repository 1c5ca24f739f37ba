import type { SpiffeId } from '@steeple/spiffe';
import type { JwtSource } from '../sources/jwt-source.ts';
import { requireServiceAudience } from './service-audience.ts';

/** The global `fetch`, a `spiffeFetch`, or what behaves like them. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface AuthorizedFetchOptions {
  /** The service the requests go to, as it knows itself; one name for one service. */
  readonly audience: string | ((url: URL) => string);
  /** Whose JWT-SVID to send; default: the source's choice. */
  readonly id?: SpiffeId | undefined;
  /** Default: the global one, which knows servers with certificates of the Web PKI. */
  readonly fetch?: Fetch | undefined;
  /**
   * Whether `http:` is allowed too. Anybody on the way can then present the token as their own: only for a hop that is
   * protected otherwise. Default false (JWT-SVID section 7.3).
   */
  readonly allowPlaintext?: boolean | undefined;
}

/**
 * A `fetch` that presents our JWT-SVID as `Authorization: Bearer …` with each request (JWT-SVID section 5.2), fetched anew
 * when half of its life is over. Redirects are handed back instead of followed: another server is another audience.
 */
export function authorizedFetch(source: Pick<JwtSource, 'headers'>, options: AuthorizedFetchOptions): Fetch {
  const { audience, id, allowPlaintext = false } = options;
  if (typeof audience === 'string') requireServiceAudience(audience);
  return async (url, init = {}) => {
    const target = new URL(url);
    requireConfidential(target, allowPlaintext);
    const headers = new Headers(init.headers);
    if (headers.has('authorization')) throw new TypeError('the request has an Authorization header already');
    const wanted = requireServiceAudience(typeof audience === 'string' ? audience : audience(target));
    const { authorization } = await source.headers(wanted, { id, ...(init.signal && { signal: init.signal }) });
    headers.set('authorization', authorization);
    return (options.fetch ?? fetch)(target, { ...init, headers, redirect: handedBack(init) });
  };
}

/** What is done with redirects unless the caller wants them to be an error: nothing. */
export function handedBack({ redirect }: RequestInit): 'error' | 'manual' {
  return redirect === 'error' ? 'error' : 'manual';
}

function requireConfidential({ protocol }: URL, allowPlaintext: boolean): void {
  if (protocol === 'https:' || (allowPlaintext && protocol === 'http:')) return;
  throw new TypeError(`a JWT-SVID may only be sent over https, not ${protocol.replace(':', '')}`);
}
