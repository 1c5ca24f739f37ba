import {
  type AuthorityKind,
  type AuthoritySlot,
  appendAuthorities,
  followUpstream,
  LIFETIMES,
  type NewAuthority,
} from '@steeple/core';
import type { KeyManager, SigningKey } from '@steeple/plugins';
import {
  concatCertificates,
  type KeyType,
  type NameAttributes,
  parseCertificate,
  parseCertificates,
  publicKeyFromSpki,
  selfSignedCa,
  spkiOf,
  type TokenAuthority,
  type TrustBundle,
  type TrustDomain,
  tokenAuthority,
} from '@steeple/spiffe';
import type { RandomBytes } from './randomness.ts';
import { followKeys, type Upstream } from './upstream.ts';

export interface AuthoritySettings {
  readonly trustDomain: TrustDomain;
  /** Seconds. */
  readonly ttl: number;
  readonly subject: NameAttributes;
  readonly keyTypes: Readonly<Record<AuthorityKind, KeyType>>;
}

/** Names of the keys in the key manager, as SPIRE has them. */
const KEY_NAMES: Readonly<Record<AuthorityKind, string>> = { x509: 'x509-CA', jwt: 'JWT-Signer', wit: 'WIT-Signer' };
const KID_LENGTH = 32;
const KID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** An authority that has no slot yet, and what publishing it makes of the bundle. */
export interface MadeAuthority {
  readonly authority: NewAuthority;
  readonly publish: (bundle: TrustBundle, revokedHere: ReadonlySet<string>) => TrustBundle;
}

/** Makes the keys and certificates of authorities, by ourselves or with an upstream, and finds them again. */
export class AuthorityKeys {
  readonly #keys: KeyManager;
  readonly #random: RandomBytes;
  readonly #settings: AuthoritySettings;
  readonly #upstream: Upstream | undefined;

  constructor(keys: KeyManager, random: RandomBytes, settings: AuthoritySettings, upstream?: Upstream) {
    this.#keys = keys;
    this.#random = random;
    this.#settings = settings;
    this.#upstream = upstream;
  }

  /** Makes an authority for a slot. The key that had the slot is gone from then on. */
  async make(kind: AuthorityKind, slot: 'A' | 'B', now: number, signal: AbortSignal): Promise<MadeAuthority> {
    const key = await this.#keys.generate(`${KEY_NAMES[kind]}-${slot}`, this.#settings.keyTypes[kind]);
    const issuedAt = Math.floor(now);
    const made = {
      issuedAt,
      notAfter: issuedAt + this.#settings.ttl,
      keyId: key.id,
      publicKeySpki: spkiOf(key.publicKey),
    };
    if (kind !== 'x509') return this.publish(kind, { ...made, authorityId: keyId(this.#random) }, signal);
    return this.#upstream ? this.#signedAbove(this.#upstream, key, made, signal) : this.#selfSigned(key, made);
  }

  /** Has a token key of ours published above, if there is an above, and tells what that makes of the bundle. */
  async publish(kind: 'jwt' | 'wit', authority: NewAuthority, signal: AbortSignal): Promise<MadeAuthority> {
    return { authority, publish: await this.publishForeign(kind, tokenAuthorityOf(authority), signal) };
  }

  /** The same for a key that a server below made. */
  async publishForeign(
    kind: 'jwt' | 'wit',
    key: TokenAuthority,
    signal: AbortSignal,
  ): Promise<MadeAuthority['publish']> {
    const above = await this.#upstream?.publishKey(kind, key, signal);
    return (bundle, revokedHere) =>
      // Nobody above, or nobody who speaks of keys: that is no news of the keys that are known.
      appendAuthorities(above ? followKeys(bundle, kind, above, revokedHere) : bundle, { [kind]: [key] });
  }

  /** The slot's key, if the key manager still holds that very key. */
  async find(slot: AuthoritySlot): Promise<SigningKey | undefined> {
    const key = await this.#keys.find(slot.keyId);
    return key && sameBytes(spkiOf(key.publicKey), slot.publicKeySpki) ? key : undefined;
  }

  async #selfSigned(key: SigningKey, made: Omit<NewAuthority, 'authorityId'>): Promise<MadeAuthority> {
    const serial = caSerial(this.#random);
    const certificate = await selfSignedCa(key, {
      trustDomain: this.#settings.trustDomain,
      subject: this.#subject(serial),
      notBefore: made.issuedAt - LIFETIMES.backdate,
      notAfter: made.notAfter,
      serial,
    });
    const { subjectKeyId } = certificate;
    if (subjectKeyId === undefined) throw new Error('a new root has no subject key id');
    const authority = { ...made, authorityId: subjectKeyId, certificateDer: certificate.raw };
    return { authority, publish: (bundle) => published(bundle, 'x509', authority) };
  }

  async #signedAbove(
    upstream: Upstream,
    key: SigningKey,
    made: Omit<NewAuthority, 'authorityId'>,
    signal: AbortSignal,
  ): Promise<MadeAuthority> {
    const { ttl } = this.#settings;
    const want = { ttl, subject: this.#subject(caSerial(this.#random)), now: made.issuedAt };
    const { certificate, above, roots } = await upstream.signCa(key, want, signal);
    const authority = {
      ...made,
      notAfter: certificate.notAfter,
      authorityId: certificate.subjectKeyId ?? '',
      certificateDer: certificate.raw,
      upstreamChainDer: concatCertificates(above),
      upstreamAuthorityId: certificate.authorityKeyId ?? '',
    };
    return { authority, publish: (bundle) => followUpstream(bundle, { x509: roots }).bundle };
  }

  // Two CAs of one trust domain must not have the same subject.
  #subject(serial: Uint8Array): NameAttributes {
    return { ...this.#settings.subject, serialNumber: decimal(serial) };
  }
}

/** The bundle with an authority in it that needs nobody above. */
export const published = (bundle: TrustBundle, kind: AuthorityKind, authority: NewAuthority): TrustBundle =>
  appendAuthorities(
    bundle,
    kind === 'x509'
      ? { x509: [{ certificate: certificateOf(authority), tainted: false }] }
      : { [kind]: [tokenAuthorityOf(authority)] },
  );

const tokenAuthorityOf = ({ authorityId, publicKeySpki, notAfter }: NewAuthority): TokenAuthority =>
  tokenAuthority(authorityId, publicKeyFromSpki(publicKeySpki), { expiresAt: notAfter });

/** Whether an upstream authority signed it. */
export const isSignedAbove = ({ upstreamChainDer }: NewAuthority): boolean => upstreamChainDer !== undefined;

/** What lies between a CA and its root, nearest first. */
export const certificatesAbove = ({ upstreamChainDer }: NewAuthority): ReturnType<typeof parseCertificates> =>
  upstreamChainDer && upstreamChainDer.length > 0 ? parseCertificates(upstreamChainDer) : [];

export const certificateOf = ({ certificateDer }: NewAuthority): ReturnType<typeof parseCertificate> => {
  if (!certificateDer) throw new Error('an X.509 authority without a certificate');
  return parseCertificate(certificateDer);
};

/** 32 letters and digits, each as likely as any other. */
const keyId = (random: RandomBytes): string => {
  const fair = Math.floor(256 / KID_ALPHABET.length) * KID_ALPHABET.length;
  let id = '';
  while (id.length < KID_LENGTH) {
    for (const byte of random(KID_LENGTH)) {
      if (byte < fair && id.length < KID_LENGTH) id += KID_ALPHABET[byte % KID_ALPHABET.length];
    }
  }
  return id;
};

// The two top bits are fixed, so that the number is positive and always as long.
const caSerial = (random: RandomBytes): Uint8Array => {
  const serial = Uint8Array.from(random(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
};

const decimal = (bytes: Uint8Array): string => BigInt(`0x${Buffer.from(bytes).toString('hex')}`).toString();

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
