import type { UpstreamTrust } from '@steeple/core';
import type { Certificate, TokenAuthority, X509Authority } from '@steeple/spiffe';

/** A CA of ours as an upstream authority signed it. */
export interface MintedCa {
  /** The new CA first, then what leads from it to a root; the root itself may be missing. */
  readonly chain: readonly Certificate[];
  /** What upstream trusts at this moment. */
  readonly roots: readonly X509Authority[];
}

/** Signs our CAs, so that we are one server of many in a trust domain whose roots are kept elsewhere. */
export interface UpstreamAuthority {
  /**
   * Has a CA signed.
   *
   * @param csr DER PKCS#10 with the trust domain's ID as URI
   * @param ttl seconds we would like it to live; upstream may give less
   * @throws {IssuerError} `unavailable` if upstream cannot be reached, `permission-denied` if it refuses, `internal`
   */
  mintX509Ca(csr: Uint8Array, ttl: number, signal: AbortSignal): Promise<MintedCa>;
  /**
   * Makes a key of ours known to the whole trust domain. Publishing a known key again changes nothing.
   *
   * @returns all keys of that kind that upstream knows
   * @throws {IssuerError} `unimplemented` if this upstream has no place for keys; else as `mintX509Ca`
   */
  publishKey(kind: 'jwt' | 'wit', key: TokenAuthority, signal: AbortSignal): Promise<readonly TokenAuthority[]>;
  /** What upstream trusts: once at the beginning, then at each change. Ends when `signal` aborts, and never otherwise. */
  watch(signal: AbortSignal): AsyncIterable<UpstreamTrust>;
  close(): Promise<void>;
}
