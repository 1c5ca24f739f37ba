import type { WitSource } from '../sources/wit-source.ts';
import { type Fetch, handedBack } from './authorized-fetch.ts';
import { coveredTokens } from './covered-tokens.ts';

export interface WitFetchOptions {
  /** Default: the global one, which knows servers with certificates of the Web PKI. */
  readonly fetch?: Fetch | undefined;
  /** Header fields with further tokens about the end user that the server's policy has covered by the proof. */
  readonly otherTokens?: readonly string[] | undefined;
}

/**
 * A `fetch` that presents our WIT-SVID in `Workload-Identity-Token`, with a fresh proof of possession for this one request
 * in `Workload-Proof-Token` (WIMSE Workload Proof Token). The proof covers the access token and the transaction token of
 * the request, if it has them. Only over https; redirects are handed back instead of followed, since a proof is for one URL.
 */
export function witFetch(source: Pick<WitSource, 'headers'>, options: WitFetchOptions = {}): Fetch {
  return async (url, init = {}) => {
    const target = new URL(url);
    const headers = new Headers(init.headers);
    const covered = coveredTokens((name) => headers.get(name) ?? undefined, options.otherTokens);
    for (const [name, value] of Object.entries(source.headers(target, covered))) headers.set(name, value);
    return (options.fetch ?? fetch)(target, { ...init, headers, redirect: handedBack(init) });
  };
}
