import { followUpstream, IssuerError, longestUncutTtl, type UpstreamTrust } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import type { MintedCa, SigningKey, UpstreamAuthority } from '@steeple/plugins';
import {
  BundleSet,
  type Certificate,
  generateKey,
  localSigner,
  makeCsr,
  type NameAttributes,
  SpiffeId,
  spkiOf,
  type TokenAuthority,
  TrustBundle,
  type TrustDomain,
  verifyX509Svid,
  type X509Authority,
  X509Issuer,
} from '@steeple/spiffe';
import type { RandomBytes } from './randomness.ts';

/** A CA of ours that an upstream authority signed, found good. */
export interface UpstreamSignedCa {
  readonly certificate: Certificate;
  /** What lies between it and the root, nearest first. */
  readonly above: readonly Certificate[];
  readonly roots: readonly X509Authority[];
}

/** Less than this much of the wanted life, in seconds, may be missing without a word. */
const TOLERANCE = 60;

/** The authority above this server: what it signs is tried before it is used, and what it trusts is trusted here. */
export class Upstream {
  readonly #authority: UpstreamAuthority;
  readonly #trustDomain: TrustDomain;
  readonly #random: RandomBytes;
  readonly #logger: Logger;
  /** Kinds of keys that upstream does not take. */
  readonly #untaken = new Set<'jwt' | 'wit'>();

  constructor(
    authority: UpstreamAuthority,
    rim: { readonly trustDomain: TrustDomain; readonly random: RandomBytes; readonly logger: Logger },
  ) {
    this.#authority = authority;
    this.#trustDomain = rim.trustDomain;
    this.#random = rim.random;
    this.#logger = rim.logger;
  }

  /** Has a CA signed for this key. @throws {IssuerError} `invalid-argument` if what came back is of no use */
  async signCa(
    key: SigningKey,
    want: { readonly ttl: number; readonly subject: NameAttributes; readonly now: number },
    signal: AbortSignal,
  ): Promise<UpstreamSignedCa> {
    const csr = await makeCsr(key, { uri: this.#trustDomain.id, subject: want.subject });
    const minted = await this.#authority.mintX509Ca(csr, want.ttl, signal);
    const signed = await this.#tried(key, minted, want.now);
    this.#warnOfShortLife(signed.certificate, want);
    return signed;
  }

  /**
   * Publishes a key for the whole trust domain and returns the bundle change that takes over what upstream knows.
   * Undefined if upstream has no place for keys: they are then known below this server only.
   */
  async publishKey(
    kind: 'jwt' | 'wit',
    key: TokenAuthority,
    signal: AbortSignal,
  ): Promise<readonly TokenAuthority[] | undefined> {
    try {
      return await this.#authority.publishKey(kind, key, signal);
    } catch (error) {
      if (!(error instanceof IssuerError) || error.code !== 'unimplemented') throw error;
      if (!this.#untaken.has(kind)) {
        const message = 'The upstream authority publishes no keys: tokens of this server are trusted below it only';
        this.#logger.warn(message, { kind });
      }
      this.#untaken.add(kind);
      return undefined;
    }
  }

  /** Whether upstream has a place for keys of a kind, as far as is known. */
  takesKeys(kind: 'jwt' | 'wit'): boolean {
    return !this.#untaken.has(kind);
  }

  /** What upstream trusts, at each change; without the kinds of keys that it takes from nobody. */
  async *watch(signal: AbortSignal): AsyncGenerator<UpstreamTrust, void, undefined> {
    for await (const { jwt, wit, ...roots } of this.#authority.watch(signal)) {
      yield {
        ...roots,
        ...(jwt && this.takesKeys('jwt') && { jwt }),
        ...(wit && this.takesKeys('wit') && { wit }),
      };
    }
  }

  close(): Promise<void> {
    return this.#authority.close();
  }

  /** A CA is good if a certificate that it signs is: it may be constrained in ways that only then show. */
  async #tried(key: SigningKey, { chain, roots }: MintedCa, now: number): Promise<UpstreamSignedCa> {
    const [certificate, ...rest] = chain;
    try {
      if (!certificate) throw new Error('no certificate');
      const above = rest.filter(({ isSelfSigned }) => !isSelfSigned);
      if (certificate.uriSans.some((uri) => uri !== this.#trustDomain.id)) throw new Error('it has a foreign URI');
      if (certificate.subjectKeyId === undefined) throw new Error('it has no subject key id');
      const issuer = new X509Issuer(key, certificate, above);
      const trial = await issuer.issueLeaf({
        id: SpiffeId.of(this.#trustDomain, '/spire/throwaway'),
        spki: spkiOf(localSigner(generateKey('ec-p256')).publicKey),
        notBefore: certificate.notBefore,
        notAfter: certificate.notAfter,
        serial: this.#random(16),
      });
      const bundles = BundleSet.of(TrustBundle.of(this.#trustDomain, { x509Authorities: roots }));
      verifyX509Svid([trial, ...issuer.chain], bundles, { now });
      return { certificate, above, roots };
    } catch (cause) {
      const { message } = cause as Error;
      throw new IssuerError('invalid-argument', `X509 CA minted by upstream authority is invalid: ${message}`, {
        cause,
      });
    }
  }

  #warnOfShortLife({ notAfter }: Certificate, { ttl, now }: { ttl: number; now: number }): void {
    const given = notAfter - now;
    if (given >= ttl - TOLERANCE) return;
    this.#logger.warn('The upstream authority gives this CA a shorter life than ca_ttl: SVIDs may be cut short', {
      ca_ttl: ttl,
      given: Math.floor(given),
      longest_svid_ttl: Math.floor(longestUncutTtl(given)),
    });
  }
}

/** The bundle with the token keys of one kind as upstream has them. */
export const followKeys = (
  bundle: TrustBundle,
  kind: 'jwt' | 'wit',
  keys: readonly TokenAuthority[],
  revokedHere: ReadonlySet<string>,
): TrustBundle => followUpstream(bundle, { x509: bundle.x509Authorities, [kind]: keys }, revokedHere).bundle;
