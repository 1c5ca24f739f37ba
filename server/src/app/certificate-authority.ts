import type { KeyObject } from 'node:crypto';
import { IssuerError, svidValidity } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import {
  type BundleSource,
  type Certificate,
  type SpiffeId,
  signJwtSvid,
  signWitSvid,
  verifyX509Svid,
} from '@steeple/spiffe';
import type { ActiveAuthorities } from './active-authorities.ts';
import type { RandomBytes } from './randomness.ts';

export interface SignedX509 {
  readonly id: SpiffeId;
  /** The leaf, then what a verifier needs below the root. */
  readonly chain: readonly Certificate[];
  readonly leaf: Certificate;
  readonly expiresAt: number;
}

export interface SignedToken {
  readonly id: SpiffeId;
  readonly token: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Lifetimes in seconds, and the optional `iss` of tokens. */
export interface CaSettings {
  readonly x509SvidTtl: number;
  readonly jwtSvidTtl: number;
  readonly witSvidTtl: number;
  readonly jwtIssuer: string | undefined;
  readonly witIssuer: string | undefined;
}

/**
 * Signs with the active authorities. Nothing outlives the authority that signed it, and no certificate leaves before
 * it was verified against the published bundle, as its receiver will do.
 */
export class CertificateAuthority {
  readonly #authorities: ActiveAuthorities;
  readonly #bundles: BundleSource;
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #settings: CaSettings;

  constructor(
    authorities: ActiveAuthorities,
    bundles: BundleSource,
    clock: Clock,
    random: RandomBytes,
    settings: CaSettings,
  ) {
    this.#authorities = authorities;
    this.#bundles = bundles;
    this.#clock = clock;
    this.#random = random;
    this.#settings = settings;
  }

  /** Issues an X509-SVID. `ttl` 0 = the default. @throws {IssuerError} `unavailable`, `internal` */
  async signX509(want: {
    id: SpiffeId;
    spki: Uint8Array;
    ttl?: number;
    dnsNames?: readonly string[];
    subject?: Uint8Array;
  }): Promise<SignedX509> {
    const now = this.#clock.now();
    const issuer = this.#authorities.x509();
    const { notBefore, notAfter } = svidValidity(
      now,
      want.ttl || this.#settings.x509SvidTtl,
      issuer.certificate.notAfter,
    );
    const leaf = await issuer.issueLeaf({
      id: want.id,
      spki: want.spki,
      ...(want.dnsNames && { dnsNames: want.dnsNames }),
      ...(want.subject && { subject: want.subject }),
      notBefore,
      notAfter,
      serial: this.#random(16),
    });
    const chain = [leaf, ...issuer.chain];
    verifyX509Svid(chain, this.#bundles, { now });
    return { id: want.id, chain, leaf, expiresAt: leaf.notAfter };
  }

  /** Issues a JWT-SVID. `ttl` 0 = the default. @throws {IssuerError} `unavailable` */
  async signJwt(want: {
    id: SpiffeId;
    audience: readonly string[];
    ttl?: number;
    withJti?: boolean;
  }): Promise<SignedToken> {
    const { jwtIssuer, jwtSvidTtl } = this.#settings;
    const authority = this.#authorities.jwt();
    const times = this.#tokenTimes(want.ttl || jwtSvidTtl, authority.notAfter);
    const token = await signJwtSvid(authority.key, {
      id: want.id,
      audience: want.audience,
      ...times,
      ...(jwtIssuer !== undefined && { issuer: jwtIssuer }),
      ...(want.withJti && { jti: Buffer.from(this.#random(16)).toString('base64url') }),
    });
    return { id: want.id, token, ...times };
  }

  /** Issues a WIT-SVID over a workload's public key. `ttl` 0 = the default. @throws {IssuerError} `unavailable` */
  async signWit(want: { id: SpiffeId; publicKey: KeyObject; algorithm?: string; ttl?: number }): Promise<SignedToken> {
    const { witIssuer, witSvidTtl } = this.#settings;
    const authority = this.#authorities.wit();
    const times = this.#tokenTimes(want.ttl || witSvidTtl, authority.notAfter);
    const token = await signWitSvid(authority.key, {
      id: want.id,
      publicKey: want.publicKey,
      ...(want.algorithm && { algorithm: want.algorithm }),
      ...times,
      ...(witIssuer !== undefined && { issuer: witIssuer }),
    });
    return { id: want.id, token, ...times };
  }

  #tokenTimes(ttl: number, keyNotAfter: number): { issuedAt: number; expiresAt: number } {
    const issuedAt = Math.floor(this.#clock.now());
    const expiresAt = Math.floor(Math.min(issuedAt + ttl, keyNotAfter));
    if (expiresAt <= issuedAt) throw new IssuerError('unavailable', 'the signing key has expired');
    return { issuedAt, expiresAt };
  }
}
