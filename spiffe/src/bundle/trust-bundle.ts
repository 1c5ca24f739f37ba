import { SpiffeError } from '../errors.ts';
import type { TrustDomain } from '../id/trust-domain.ts';
import { distinctCertificates, distinctKeys, sameTokenAuthorities, sameX509Authorities } from './authority-lists.ts';
import type { TokenAuthority } from './token-authority.ts';
import type { X509Authority } from './x509-authority.ts';

/** What a trust bundle holds, without the name of its trust domain. */
export interface TrustBundleParts {
  readonly x509Authorities: readonly X509Authority[];
  readonly jwtAuthorities: readonly TokenAuthority[];
  readonly witAuthorities: readonly TokenAuthority[];
  /** `spiffe_sequence`, an unsigned 64-bit number; 0 when the publisher gave none. */
  readonly sequence: bigint;
  /** Seconds between two looks at the publisher; 0 when it named none. */
  readonly refreshHint: number;
}

const LARGEST_SEQUENCE = 2n ** 64n - 1n;
const NOTHING: TrustBundleParts = {
  x509Authorities: [],
  jwtAuthorities: [],
  witAuthorities: [],
  sequence: 0n,
  refreshHint: 0,
};

/**
 * The authorities of one trust domain, bound to its name (SPIFFE Trust Domain and Bundle, section 3). Immutable: a change
 * makes another bundle. Within one kind of token a key id names one key.
 */
export class TrustBundle implements TrustBundleParts {
  readonly trustDomain: TrustDomain;
  readonly x509Authorities: readonly X509Authority[];
  readonly jwtAuthorities: readonly TokenAuthority[];
  readonly witAuthorities: readonly TokenAuthority[];
  readonly sequence: bigint;
  readonly refreshHint: number;
  readonly #jwtByKid: ReadonlyMap<string, TokenAuthority>;
  readonly #witByKid: ReadonlyMap<string, TokenAuthority>;

  /**
   * A bundle; repeated authorities collapse to the first.
   *
   * @throws SpiffeError `invalid-bundle` if a key id names two keys of one kind, or a number is out of range
   */
  static of(trustDomain: TrustDomain, parts: Partial<TrustBundleParts> = {}): TrustBundle {
    return new TrustBundle(trustDomain, { ...NOTHING, ...parts });
  }

  private constructor(trustDomain: TrustDomain, parts: TrustBundleParts) {
    if (parts.sequence < 0n || parts.sequence > LARGEST_SEQUENCE) {
      throw new SpiffeError('invalid-bundle', 'the sequence is no unsigned 64-bit number', { rule: 'TDB-05' });
    }
    if (!Number.isSafeInteger(parts.refreshHint) || parts.refreshHint < 0) {
      throw new SpiffeError('invalid-bundle', 'the refresh hint is no whole number of seconds', { rule: 'TDB-08' });
    }
    this.#jwtByKid = distinctKeys(parts.jwtAuthorities);
    this.#witByKid = distinctKeys(parts.witAuthorities);
    this.trustDomain = trustDomain;
    this.x509Authorities = distinctCertificates(parts.x509Authorities);
    this.jwtAuthorities = Object.freeze([...this.#jwtByKid.values()]);
    this.witAuthorities = Object.freeze([...this.#witByKid.values()]);
    this.sequence = parts.sequence;
    this.refreshHint = parts.refreshHint;
    Object.freeze(this);
  }

  /** This bundle with some parts replaced. The sequence changes only when it is among them. */
  with(parts: Partial<TrustBundleParts>): TrustBundle {
    return new TrustBundle(this.trustDomain, { ...this.#parts(), ...parts });
  }

  /** The JWT authority of that id, if any. */
  jwtAuthority(kid: string): TokenAuthority | undefined {
    return this.#jwtByKid.get(kid);
  }

  /** The WIT authority of that id, if any. */
  witAuthority(kid: string): TokenAuthority | undefined {
    return this.#witByKid.get(kid);
  }

  /** True when nothing at all is trusted, so that every SVID of this trust domain is invalid (TDB-11). */
  get isEmpty(): boolean {
    return this.x509Authorities.length + this.jwtAuthorities.length + this.witAuthorities.length === 0;
  }

  /** Same trust domain, authorities (in any order), sequence and hint. */
  equals(other: TrustBundle): boolean {
    return this.sequence === other.sequence && this.refreshHint === other.refreshHint && this.trustsSameAs(other);
  }

  /** Same trust domain and authorities, in any order; what decides whether peers must be told. */
  trustsSameAs(other: TrustBundle): boolean {
    return (
      this.trustDomain.equals(other.trustDomain) &&
      sameX509Authorities(this.x509Authorities, other.x509Authorities) &&
      sameTokenAuthorities(this.jwtAuthorities, other.jwtAuthorities) &&
      sameTokenAuthorities(this.witAuthorities, other.witAuthorities)
    );
  }

  #parts(): TrustBundleParts {
    const { x509Authorities, jwtAuthorities, witAuthorities, sequence, refreshHint } = this;
    return { x509Authorities, jwtAuthorities, witAuthorities, sequence, refreshHint };
  }
}
