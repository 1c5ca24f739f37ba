import type { KeyObject } from 'node:crypto';
import { effectiveTtl, IssuerError, svidValidity, tokenValidity } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import {
  type Certificate,
  SpiffeError,
  type SpiffeId,
  signJwtSvid,
  signWitSvid,
  type TrustBundle,
} from '@steeple/spiffe';
import type { ActiveAuthorities } from './active-authorities.ts';
import type { Bundles } from './bundles.ts';
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
 * Signs with the active authorities. Nothing outlives the authority that signed it, and nothing is signed under a root
 * that is not published.
 */
export class CertificateAuthority {
  readonly #authorities: ActiveAuthorities;
  readonly #bundles: Pick<Bundles, 'own'>;
  /** The bundle in which a root was last seen. */
  readonly #published = new WeakMap<Certificate, TrustBundle>();
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  readonly #settings: CaSettings;

  constructor(
    authorities: ActiveAuthorities,
    bundles: Pick<Bundles, 'own'>,
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
    const issuer = this.#authorities.x509();
    this.#requirePublished(this.#authorities.x509Root());
    const { notBefore, notAfter } = svidValidity(
      this.#clock.now(),
      effectiveTtl(want.ttl ?? 0, this.#settings.x509SvidTtl),
      issuer.certificate.notAfter,
    );
    return orInternal('failed to sign X509-SVID', async () => {
      const leaf = await issuer.issueLeaf({
        id: want.id,
        spki: want.spki,
        ...(want.dnsNames && { dnsNames: want.dnsNames }),
        ...(want.subject && { subject: want.subject }),
        notBefore,
        notAfter,
        serial: this.#random(16),
      });
      return { id: want.id, chain: [leaf, ...issuer.chain], leaf, expiresAt: leaf.notAfter };
    });
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
    const times = this.#tokenTimes(want.ttl ?? 0, jwtSvidTtl, authority.notAfter);
    const token = await orInternal('failed to sign JWT-SVID', () =>
      signJwtSvid(authority.key, {
        id: want.id,
        audience: want.audience,
        ...times,
        ...(jwtIssuer !== undefined && { issuer: jwtIssuer }),
        ...(want.withJti && { jti: Buffer.from(this.#random(16)).toString('base64url') }),
      }),
    );
    return { id: want.id, token, ...times };
  }

  /** Issues a WIT-SVID over a workload's public key. `ttl` 0 = the default. @throws {IssuerError} `unavailable`; SpiffeError for a key that signs no tokens */
  async signWit(want: { id: SpiffeId; publicKey: KeyObject; algorithm?: string; ttl?: number }): Promise<SignedToken> {
    const { witIssuer, witSvidTtl } = this.#settings;
    const authority = this.#authorities.wit();
    const times = this.#tokenTimes(want.ttl ?? 0, witSvidTtl, authority.notAfter);
    const token = await signWitSvid(authority.key, {
      id: want.id,
      publicKey: want.publicKey,
      ...(want.algorithm && { algorithm: want.algorithm }),
      ...times,
      ...(witIssuer !== undefined && { issuer: witIssuer }),
    });
    return { id: want.id, token, ...times };
  }

  /** Whether a receiver will find the root; the certificate itself is checked by the issuer before it leaves. */
  #requirePublished(root: Certificate): void {
    const bundle = this.#bundles.own();
    if (this.#published.get(root) === bundle) return;
    if (!bundle.x509Authorities.some(({ certificate }) => certificate.equals(root))) {
      throw new IssuerError('internal', 'the root of the active X.509 authority is not in the bundle');
    }
    this.#published.set(root, bundle);
  }

  #tokenTimes(ttl: number, fallback: number, keyNotAfter: number): { issuedAt: number; expiresAt: number } {
    return tokenValidity(this.#clock.now(), effectiveTtl(ttl, fallback), keyNotAfter);
  }
}

/** What only the request can be the reason of: an audience that is none, a token that would be too long. */
const CALLERS_MISTAKES: ReadonlySet<string> = new Set(['wrong-audience', 'invalid-token']);

/** A failure to sign is the server's; what is known to be the caller's or to pass goes through as it is. */
const orInternal = async <T>(message: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof IssuerError) throw cause;
    const isCallers = cause instanceof SpiffeError && CALLERS_MISTAKES.has(cause.code);
    if (isCallers) throw new IssuerError('invalid-argument', cause.message, { cause });
    throw new IssuerError('internal', message, { cause });
  }
};
