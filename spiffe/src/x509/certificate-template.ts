import { contextConstructed } from '../der/tags.ts';
import { encodeTime } from '../der/time.ts';
import { bitString, sequence, smallInteger, tlv, unsignedInteger } from '../der/writer.ts';
import { SpiffeError } from '../errors.ts';
import { KEY_TYPES } from '../keys/key-type.ts';
import type { Signer } from '../keys/signer.ts';
import { Certificate } from './certificate.ts';

/** What differs from one certificate of an issuer to the next. */
export interface TemplateFields {
  readonly serial: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  /** Whole Extension elements, in order. */
  readonly extensions: readonly Uint8Array[];
}

const V3 = tlv(contextConstructed(0), smallInteger(2));
const EXTENSIONS = contextConstructed(3);
const MIN_SERIAL_BYTES = 8;
const MAX_SERIAL_BYTES = 20;

/** The parts of every certificate that one issuer signs, encoded once. */
export class CertificateTemplate {
  readonly #signer: Signer;
  readonly #signatureAlgorithm: Uint8Array;
  readonly #issuer: Uint8Array;
  /** The last validity: certificates of one second mostly share theirs. */
  #validity = { notBefore: Number.NaN, notAfter: Number.NaN, encoded: new Uint8Array() };

  constructor(signer: Signer, issuer: Uint8Array) {
    this.#signer = signer;
    this.#signatureAlgorithm = KEY_TYPES[signer.type].signatureAlgorithm;
    this.#issuer = issuer;
  }

  /**
   * Encodes, signs, and reads the result back.
   *
   * @throws SpiffeError `expired` when no validity is left; whatever the signer throws
   */
  async sign(fields: TemplateFields): Promise<Certificate> {
    const notBefore = Math.floor(fields.notBefore);
    const notAfter = Math.floor(fields.notAfter);
    if (!(notAfter > notBefore)) throw new SpiffeError('expired', 'no validity is left for a certificate');
    const signedPart = sequence(
      V3,
      positiveSerial(fields.serial),
      this.#signatureAlgorithm,
      this.#issuer,
      this.#encodeValidity(notBefore, notAfter),
      fields.subject,
      fields.spki,
      tlv(EXTENSIONS, sequence(...fields.extensions)),
    );
    const signature = await this.#signer.sign(signedPart);
    // Memory of its own, for a certificate may be kept for long.
    return Certificate.parse(sequence(signedPart, this.#signatureAlgorithm, bitString(signature)).slice());
  }

  #encodeValidity(notBefore: number, notAfter: number): Uint8Array {
    if (this.#validity.notBefore !== notBefore || this.#validity.notAfter !== notAfter) {
      this.#validity = { notBefore, notAfter, encoded: sequence(encodeTime(notBefore), encodeTime(notAfter)).slice() };
    }
    return this.#validity.encoded;
  }
}

/** Random octets as a positive INTEGER of at most 20 octets (RFC 5280 section 4.1.2.2). */
function positiveSerial(random: Uint8Array): Uint8Array {
  if (random.length < MIN_SERIAL_BYTES || random.length > MAX_SERIAL_BYTES) {
    throw new TypeError(`serial number needs ${MIN_SERIAL_BYTES} to ${MAX_SERIAL_BYTES} random octets`);
  }
  const magnitude = new Uint8Array(random);
  magnitude[0] = (magnitude[0] ?? 0) & 0x7f;
  if (magnitude.every((octet) => octet === 0)) throw new TypeError('serial number of zeros');
  return unsignedInteger(magnitude);
}
