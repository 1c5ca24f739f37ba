import {
  type AddedAuthorities,
  type AuthorityKind,
  type AuthoritySlot,
  LIFETIMES,
  type NewAuthority,
} from '@steeple/core';
import type { KeyManager, SigningKey } from '@steeple/plugins';
import {
  type KeyType,
  type NameAttributes,
  parseCertificate,
  publicKeyFromSpki,
  selfSignedCa,
  spkiOf,
  type TrustDomain,
  tokenAuthority,
} from '@steeple/spiffe';
import type { RandomBytes } from './randomness.ts';

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

/** Makes the keys and certificates of authorities, and finds them again. */
export class AuthorityKeys {
  readonly #keys: KeyManager;
  readonly #random: RandomBytes;
  readonly #settings: AuthoritySettings;

  constructor(keys: KeyManager, random: RandomBytes, settings: AuthoritySettings) {
    this.#keys = keys;
    this.#random = random;
    this.#settings = settings;
  }

  /** Makes an authority for a slot. The key that had the slot is gone from then on. */
  async make(kind: AuthorityKind, slot: 'A' | 'B', now: number): Promise<NewAuthority> {
    const key = await this.#keys.generate(`${KEY_NAMES[kind]}-${slot}`, this.#settings.keyTypes[kind]);
    const issuedAt = Math.floor(now);
    const made = {
      issuedAt,
      notAfter: issuedAt + this.#settings.ttl,
      keyId: key.id,
      publicKeySpki: spkiOf(key.publicKey),
    };
    return kind === 'x509' ? this.#selfSigned(key, made) : { ...made, authorityId: keyId(this.#random) };
  }

  /** The slot's key, if the key manager still holds that very key. */
  async find(slot: AuthoritySlot): Promise<SigningKey | undefined> {
    const key = await this.#keys.find(slot.keyId);
    return key && sameBytes(spkiOf(key.publicKey), slot.publicKeySpki) ? key : undefined;
  }

  async #selfSigned(key: SigningKey, made: Omit<NewAuthority, 'authorityId'>): Promise<NewAuthority> {
    const serial = caSerial(this.#random);
    const certificate = await selfSignedCa(key, {
      trustDomain: this.#settings.trustDomain,
      // Two roots of one trust domain must not have the same subject.
      subject: { ...this.#settings.subject, serialNumber: decimal(serial) },
      notBefore: made.issuedAt - LIFETIMES.backdate,
      notAfter: made.notAfter,
      serial,
    });
    const { subjectKeyId } = certificate;
    if (subjectKeyId === undefined) throw new Error('a new root has no subject key id');
    return { ...made, authorityId: subjectKeyId, certificateDer: certificate.raw };
  }
}

/** What an authority adds to the bundle. */
export const published = (kind: AuthorityKind, authority: NewAuthority): AddedAuthorities => {
  if (kind === 'x509') return { x509: [{ certificate: certificateOf(authority), tainted: false }] };
  const key = tokenAuthority(authority.authorityId, publicKeyFromSpki(authority.publicKeySpki), {
    expiresAt: authority.notAfter,
  });
  return { [kind]: [key] };
};

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
