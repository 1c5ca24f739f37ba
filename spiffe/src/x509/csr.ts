import type { KeyObject } from 'node:crypto';
import { type DerElement, malformed, readSingle } from '../der/reader.ts';
import { contextConstructed, TAG } from '../der/tags.ts';
import { readOctetAlignedBits, readOid, readSmallInteger } from '../der/values.ts';
import { SpiffeError } from '../errors.ts';
import { publicKeyFromSpki } from '../keys/spki.ts';
import { type Extensions, noExtensions, readExtensions } from './extensions.ts';
import { type NameAttribute, nameText, readName } from './name.ts';
import { OID } from './oids.ts';
import { verifySignature } from './signature-algorithm.ts';

/** A certificate signing request whose sender has shown possession of the private key. All else in it is only a wish. */
export interface Csr {
  readonly raw: Uint8Array;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly publicKey: KeyObject;
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  /** DER Name. */
  readonly subject: Uint8Array;
  /** For people, such as `C=US,O=SPIRE`. */
  readonly subjectText: string;
  readonly hasSubject: boolean;
}

const MAX_CSR_BYTES = 64 * 1024;
const MAX_ATTRIBUTES = 16;

/**
 * Reads a PKCS#10 request (RFC 2986) strictly and checks its signature, always.
 *
 * @throws SpiffeError `invalid-csr`; `reason` is `malformed` (also for a key that is not accepted) or `signature`
 */
export function readCsr(der: Uint8Array): Csr {
  const { signedPart, subject, attributes, spki, publicKey, extensions, ...proof } = readStructure(der);
  const proven = verifySignature(proof.signatureAlgorithm, publicKey, signedPart, proof.signature);
  if (!proven) throw invalid('signature', 'signature of the request does not hold under its own key');
  return {
    raw: der,
    spki,
    publicKey,
    uriSans: extensions.alternativeNames?.uris ?? [],
    dnsSans: extensions.alternativeNames?.dnsNames ?? [],
    subject: subject.raw,
    subjectText: nameText(attributes),
    hasSubject: attributes.length > 0,
  };
}

function readStructure(der: Uint8Array) {
  try {
    if (der.length > MAX_CSR_BYTES) throw malformed('request is too large');
    const outer = readSingle(der, TAG.sequence).reader();
    const signedPart = outer.expect(TAG.sequence);
    const signatureAlgorithm = outer.expect(TAG.sequence).raw;
    const signature = readOctetAlignedBits(outer);
    outer.finish();

    const inner = signedPart.reader();
    if (readSmallInteger(inner.expect(TAG.integer)) !== 0) throw malformed('unknown version of request');
    const subject = inner.expect(TAG.sequence);
    const attributes: NameAttribute[] = readName(subject);
    const spki = inner.expect(TAG.sequence).raw;
    const extensions = readRequestedExtensions(inner.expect(contextConstructed(0)));
    inner.finish();
    const publicKey = publicKeyFromSpki(spki);
    return {
      signedPart: signedPart.raw,
      signatureAlgorithm,
      signature,
      subject,
      attributes,
      spki,
      publicKey,
      extensions,
    };
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw invalid('malformed', cause.message, cause);
  }
}

/** Attributes we do not know are the sender's business; the one we know may come once. */
function readRequestedExtensions(list: DerElement): Extensions {
  let requested: Extensions | undefined;
  const reader = list.reader();
  for (let count = 0; !reader.done; count++) {
    if (count === MAX_ATTRIBUTES) throw malformed('too many attributes');
    const attribute = reader.expect(TAG.sequence).reader();
    const type = readOid(attribute.expect(TAG.oid));
    const values = attribute.expect(TAG.set).reader();
    attribute.finish();
    if (type !== OID.extensionRequest) {
      values.skipAll();
      continue;
    }
    if (requested !== undefined) throw malformed('extensions are requested twice');
    requested = readExtensions(values.expect(TAG.sequence));
    values.finish();
  }
  return requested ?? noExtensions();
}

function invalid(reason: 'malformed' | 'signature', message: string, cause?: unknown): SpiffeError {
  return new SpiffeError('invalid-csr', message, { reason, cause });
}
