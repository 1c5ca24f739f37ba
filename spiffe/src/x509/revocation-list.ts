import { equalBytes } from '../encoding/bytes.ts';
import type { Certificate } from './certificate.ts';
import { type RevocationListFields, readRevocationListFields } from './revocation-list-fields.ts';
import { verifySignature } from './signature-algorithm.ts';

/**
 * A certificate revocation list (RFC 5280 section 5), read strictly from DER. That a value of this class exists says that
 * the form is right and that we understand all of it, nothing about who made it.
 */
export class RevocationList {
  /** The whole list in DER. */
  readonly raw: Uint8Array;
  /** DER Name of the authority whose certificates it is about. */
  readonly issuer: Uint8Array;
  /** Lower-case hexadecimal. */
  readonly authorityKeyId: string | undefined;
  /** Unix seconds. */
  readonly thisUpdate: number;
  /** Unix seconds by which there is a newer list; `undefined` if the issuer does not say. */
  readonly nextUpdate: number | undefined;
  /** Lists of one issuer replace each other only within one scope; empty for all certificates. */
  readonly scope: string;
  readonly #fields: RevocationListFields;
  // One verification per authority, not one per handshake.
  readonly #signedBy = new WeakMap<Certificate, boolean>();

  private constructor(der: Uint8Array) {
    const fields = readRevocationListFields(der);
    this.raw = der;
    this.#fields = fields;
    this.issuer = fields.issuer;
    this.authorityKeyId = fields.authorityKeyId;
    this.thisUpdate = fields.thisUpdate;
    this.nextUpdate = fields.nextUpdate;
    this.scope = fields.scope;
  }

  /**
   * Reads one list; nothing may follow it. The bytes are kept, not copied: do not change them afterwards.
   *
   * @throws SpiffeError `malformed-der`, or `invalid-crl` for a delta, an indirect list or an unknown critical extension
   */
  static parse(der: Uint8Array): RevocationList {
    return new RevocationList(der);
  }

  /** How many certificates it revokes. */
  get size(): number {
    return this.#fields.serials.size;
  }

  equals(other: RevocationList): boolean {
    return equalBytes(this.raw, other.raw);
  }

  revokes(certificate: Certificate): boolean {
    return this.#fields.serials.has(certificate.serialHex);
  }

  /** Whether it says to be about certificates of this authority. */
  names(authority: Certificate): boolean {
    if (!equalBytes(this.issuer, authority.subject)) return false;
    const { subjectKeyId } = authority;
    return this.authorityKeyId === undefined || subjectKeyId === undefined || this.authorityKeyId === subjectKeyId;
  }

  /** Whether it was signed with the authority's key. */
  isSignedBy(authority: Certificate): boolean {
    const known = this.#signedBy.get(authority);
    if (known !== undefined) return known;
    const verdict = this.#isSignedWithKeyOf(authority);
    this.#signedBy.set(authority, verdict);
    return verdict;
  }

  #isSignedWithKeyOf(authority: Certificate): boolean {
    const { signatureAlgorithm, signedPart, signature } = this.#fields;
    try {
      return verifySignature(signatureAlgorithm, authority.publicKey, signedPart, signature);
    } catch {
      return false;
    }
  }
}
