import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import {
  generateKey,
  type HeldWitSvid,
  type JwtSigner,
  type JwtSvid,
  type KeyType,
  localSigner,
  parseHeldWitSvid,
  parseJwtSvidUnverified,
  privateJwk,
  SpiffeId,
  selfSignedCa,
  signJwtSvid,
  signWitSvid,
  spkiOf,
  TrustBundle,
  TrustDomain,
  tokenAuthority,
  X509Issuer,
  X509Svid,
} from '@steeple/spiffe';

/** How long and how a test SVID lives. */
export interface IssueOptions {
  /** Seconds from now; default one hour. May be negative: already expired. */
  readonly ttl?: number | undefined;
  readonly hint?: string | undefined;
}

interface Authorities {
  readonly x509: X509Issuer;
  readonly jwt: JwtSigner;
  readonly wit: JwtSigner;
}

/** A trust domain in memory that issues real SVIDs of all kinds; for tests only. */
export class TestTrustDomain {
  readonly trustDomain: TrustDomain;
  readonly #now: () => number;
  readonly #keyType: KeyType;
  // The newest signs; the others are only trusted.
  #authorities: readonly Authorities[];

  /** A trust domain with one authority of each kind. `now` is Unix seconds. */
  static async create(
    name: string,
    options: { readonly now?: (() => number) | undefined; readonly keyType?: KeyType | undefined } = {},
  ): Promise<TestTrustDomain> {
    const { now = () => Date.now() / 1000, keyType = 'ec-p256' } = options;
    const trustDomain = TrustDomain.parse(name);
    return new TestTrustDomain(trustDomain, now, keyType, await makeAuthorities(trustDomain, now(), keyType));
  }

  private constructor(trustDomain: TrustDomain, now: () => number, keyType: KeyType, first: Authorities) {
    this.trustDomain = trustDomain;
    this.#now = now;
    this.#keyType = keyType;
    this.#authorities = [first];
  }

  /** What peers trust now, sequence growing with each rotation. */
  get bundle(): TrustBundle {
    return TrustBundle.of(this.trustDomain, {
      x509Authorities: this.#authorities.map(({ x509 }) => ({ certificate: x509.certificate, tainted: false })),
      jwtAuthorities: this.#authorities.map(({ jwt }) => tokenAuthority(jwt.kid, jwt.signer.publicKey)),
      witAuthorities: this.#authorities.map(({ wit }) => tokenAuthority(wit.kid, wit.signer.publicKey)),
      sequence: BigInt(this.#authorities.length),
    });
  }

  /** The signing authority, for certificates this class does not make. */
  get issuer(): X509Issuer {
    return this.#active.x509;
  }

  /** The signing key of JWT-SVIDs. */
  get jwtSigner(): JwtSigner {
    return this.#active.jwt;
  }

  /** The signing key of WIT-SVIDs. */
  get witSigner(): JwtSigner {
    return this.#active.wit;
  }

  /** New authorities sign from now on; the old stay in the bundle. */
  async rotate(): Promise<void> {
    const next = await makeAuthorities(this.trustDomain, this.#now(), this.#keyType);
    this.#authorities = [next, ...this.#authorities];
  }

  /** The old authorities leave the bundle. */
  revokeOld(): void {
    this.#authorities = [this.#active];
  }

  /** `spiffe://name/path`; the path starts with a slash. */
  id(path: string): SpiffeId {
    return SpiffeId.of(this.trustDomain, path);
  }

  async x509Svid(path: string, options: IssueOptions & { dnsNames?: readonly string[] } = {}): Promise<X509Svid> {
    const privateKey = generateKey(this.#keyType);
    const notAfter = this.#now() + (options.ttl ?? 3600);
    const leaf = await this.issuer.issueLeaf({
      id: this.id(path),
      spki: spkiOf(createPublicKey(privateKey)),
      dnsNames: options.dnsNames ?? [],
      notBefore: Math.min(this.#now() - 10, notAfter - 10),
      notAfter,
      serial: randomBytes(16),
    });
    return X509Svid.fromParts([leaf, ...this.issuer.chain], privateKey, options.hint ?? '');
  }

  async jwtSvid(path: string, audience: readonly string[], options: IssueOptions = {}): Promise<JwtSvid> {
    const token = await signJwtSvid(this.jwtSigner, { id: this.id(path), audience, ...this.#life(options, 300) });
    return parseJwtSvidUnverified(token, audience, { hint: options.hint ?? '' });
  }

  async witSvid(path: string, options: IssueOptions = {}): Promise<HeldWitSvid> {
    const privateKey: KeyObject = generateKey(this.#keyType);
    const publicKey = createPublicKey(privateKey);
    const token = await signWitSvid(this.witSigner, { id: this.id(path), publicKey, ...this.#life(options, 3600) });
    return parseHeldWitSvid(token, JSON.stringify(privateJwk(privateKey)), options.hint ?? '');
  }

  get #active(): Authorities {
    const [active] = this.#authorities;
    if (active === undefined) throw new Error('a test trust domain always has an authority');
    return active;
  }

  #life({ ttl }: IssueOptions, usual: number): { issuedAt: number; expiresAt: number } {
    const expiresAt = this.#now() + (ttl ?? usual);
    return { issuedAt: Math.min(this.#now(), expiresAt - 1), expiresAt };
  }
}

async function makeAuthorities(trustDomain: TrustDomain, now: number, keyType: KeyType): Promise<Authorities> {
  const signer = localSigner(generateKey(keyType));
  const certificate = await selfSignedCa(signer, {
    trustDomain,
    // The number tells one root from the next.
    subject: { organization: ['Test'], serialNumber: BigInt(`0x${randomBytes(8).toString('hex')}`).toString() },
    notBefore: now - 86_400,
    notAfter: now + 10 * 365 * 86_400,
    serial: randomBytes(16),
  });
  return { x509: new X509Issuer(signer, certificate), jwt: tokenKey(keyType), wit: tokenKey(keyType) };
}

function tokenKey(keyType: KeyType): JwtSigner {
  return { kid: randomBytes(8).toString('hex'), signer: localSigner(generateKey(keyType)) };
}
