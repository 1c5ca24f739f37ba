import type { TrustBundle } from '@steeple/spiffe';
import type { TrustAttempts } from './storage.ts';

/** Where the first trust in the server comes from. */
export type TrustSource =
  | { readonly kind: 'file'; readonly path: string; readonly format: BundleFormat }
  | ({ readonly kind: 'url'; readonly format: BundleFormat } & Download)
  /** SHA-256 of the DER of the server's root certificate, lower hex. */
  | { readonly kind: 'pin'; readonly sha256: string }
  /** Another agent's Workload API, as an address of SPIFFE_ENDPOINT_SOCKET. */
  | { readonly kind: 'workload-api'; readonly address: string }
  | { readonly kind: 'insecure' };

export type BundleFormat = 'pem' | 'spiffe';

/** Fetches the first bundle. @throws ConfigError for what waiting will not mend, any other error for what it may */
export type TrustLoader = (source: TrustSource, attempts: TrustAttempts, signal: AbortSignal) => Promise<TrustBundle>;

/** Something to fetch over the web: with `socketPath` from a local web server on a unix socket, by plain HTTP. */
export interface Download {
  readonly url: string;
  readonly socketPath?: string;
}
