import type { KeyObject } from 'node:crypto';
import { equalBytes } from '../encoding/bytes.ts';
import { encodeHex } from '../encoding/hex.ts';
import { SpiffeError } from '../errors.ts';
import { SpiffeId } from '../id/spiffe-id.ts';
import { publicKeyFromSpki } from '../keys/spki.ts';
import { type CertificateFields, readCertificateFields } from './certificate-fields.ts';
import type { BasicConstraints } from './extensions.ts';
import type { KeyUsage } from './key-usage.ts';
import { commonNameOf, nameText } from './name.ts';
import type { NameConstraints } from './name-constraints.ts';
import { verifySignature } from './signature-algorithm.ts';

/**
 * An X.509 certificate (RFC 5280), read strictly from DER. That a value of this class exists says that the form is right,
 * nothing about trust.
 */
export class Certificate {
  /** The whole certificate in DER. */
  readonly raw: Uint8Array;
  /** Magnitude of the serial number in lower-case hexadecimal, two digits an octet. */
  readonly serialHex: string;
  /** DER Name; names are equal if their bytes are. */
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  /** Unix seconds; both ends of the validity belong to it. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly ipSans: readonly string[];
  readonly emailSans: readonly string[];
  /** Names in SAN that are none of the four kinds above. */
  readonly otherSans: number;
  readonly sanCritical: boolean;
  readonly keyUsage: KeyUsage | undefined;
  /** Purposes as dotted object identifiers. */
  readonly extKeyUsage: readonly string[] | undefined;
  readonly basicConstraints: BasicConstraints | undefined;
  readonly nameConstraints: NameConstraints | undefined;
  /** Lower-case hexadecimal. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** Object identifiers of critical extensions that this package does not understand. */
  readonly unknownCritical: readonly string[];
  readonly #fields: CertificateFields;
  #publicKey: KeyObject | undefined;
  #serialDecimal: string | undefined;

  private constructor(raw: Uint8Array) {
    const fields = readCertificateFields(raw);
    const { extensions } = fields;
    this.#fields = fields;
    this.raw = raw;
    this.serialHex = encodeHex(fields.serial);
    this.subject = fields.subject;
    this.issuer = fields.issuer;
    this.notBefore = fields.notBefore;
    this.notAfter = fields.notAfter;
    this.spki = fields.spki;
    this.uriSans = extensions.alternativeNames?.uris ?? [];
    this.dnsSans = extensions.alternativeNames?.dnsNames ?? [];
    this.ipSans = extensions.alternativeNames?.ipAddresses ?? [];
    this.emailSans = extensions.alternativeNames?.emails ?? [];
    this.otherSans = extensions.alternativeNames?.others ?? 0;
    this.sanCritical = extensions.alternativeNames?.critical ?? false;
    this.keyUsage = extensions.keyUsage;
    this.extKeyUsage = extensions.extKeyUsage;
    this.basicConstraints = extensions.basicConstraints;
    this.nameConstraints = extensions.nameConstraints;
    this.subjectKeyId = extensions.subjectKeyId;
    this.authorityKeyId = extensions.authorityKeyId;
    this.unknownCritical = extensions.unknownCritical;
  }

  /**
   * Reads one certificate; nothing may follow it. The bytes are kept, not copied: do not change them afterwards.
   *
   * @throws SpiffeError `malformed-der`
   */
  static parse(der: Uint8Array): Certificate {
    return new Certificate(der);
  }

  get serialDecimal(): string {
    this.#serialDecimal ??= BigInt(`0x${this.serialHex}`).toString();
    return this.#serialDecimal;
  }

  /** For people, such as `C=US,O=SPIRE`. */
  get subjectText(): string {
    return nameText(this.#fields.subjectAttributes);
  }

  /** The same the other way round, as RFC 4514 and Go print it: `O=SPIRE,C=US`. */
  get reversedSubjectText(): string {
    const text = nameText(this.#fields.subjectAttributes.toReversed());
    return text.replaceAll(/(^|,)serialNumber=/g, '$1SERIALNUMBER=');
  }

  get commonName(): string | undefined {
    return commonNameOf(this.#fields.subjectAttributes);
  }

  /**
   * Imported when first asked for.
   *
   * @throws SpiffeError `unsupported-key`
   */
  get publicKey(): KeyObject {
    this.#publicKey ??= publicKeyFromSpki(this.spki);
    return this.#publicKey;
  }

  /** Whether issuer and subject are the same name. */
  get isSelfIssued(): boolean {
    return equalBytes(this.subject, this.issuer);
  }

  /** Whether it is its own root: self-issued and signed with its own key. */
  get isSelfSigned(): boolean {
    return this.isSelfIssued && this.isSignedBy(this);
  }

  get isCa(): boolean {
    return this.basicConstraints?.ca === true;
  }

  equals(other: Certificate): boolean {
    return equalBytes(this.raw, other.raw);
  }

  /**
   * Whether the names link up and the signature holds. It does not say that the issuer may issue. An unsupported key or
   * algorithm is a signature that does not hold.
   */
  isSignedBy(issuer: Certificate): boolean {
    return equalBytes(this.issuer, issuer.subject) && this.#isSignedWithKeyOf(issuer);
  }

  /**
   * The SPIFFE ID in the only URI SAN (X509-SVID section 2).
   *
   * @throws SpiffeError `invalid-svid` unless there is exactly one URI, `invalid-id` if that is no SPIFFE ID
   */
  spiffeId(): SpiffeId {
    const [uri, second] = this.uriSans;
    if (uri === undefined) throw new SpiffeError('invalid-svid', 'certificate has no URI SAN', { rule: 'X509-03' });
    if (second !== undefined) {
      throw new SpiffeError('invalid-svid', 'certificate has more than one URI SAN', { rule: 'X509-02' });
    }
    return SpiffeId.parse(uri);
  }

  #isSignedWithKeyOf(issuer: Certificate): boolean {
    const { signatureAlgorithm, signedPart, signature } = this.#fields;
    try {
      return verifySignature(signatureAlgorithm, issuer.publicKey, signedPart, signature);
    } catch {
      return false;
    }
  }
}

/**
 * Reads one certificate; nothing may follow it.
 *
 * @throws SpiffeError `malformed-der`
 */
export function parseCertificate(der: Uint8Array): Certificate {
  return Certificate.parse(der);
}
