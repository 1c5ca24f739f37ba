// Bundles between messages and the two forms in which files hold them.
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { types } from '@steeple/proto/server-api';
import {
  formatBundleDocument,
  parseBundleDocument,
  parseCertificate,
  parseCertificates,
  parseCertificatesPem,
  publicKeyFromSpki,
  TrustBundle,
  TrustDomain,
  toPem,
} from '@steeple/spiffe';
import { CommandError, explainNow } from '../command-error.ts';
import { quote } from '../go/quote.ts';
import { readDomain } from '../spiffe-id.ts';

export type BundleFormat = 'pem' | 'spiffe';

/** @throws {CommandError} when there is no such form */
export function bundleFormat(text: string): BundleFormat {
  const name = text === '' ? 'pem' : text.toLowerCase();
  if (name === 'pem' || name === 'spiffe') return name;
  throw new CommandError(`invalid format: ${quote(name)}`);
}

/** What `-format` says of a command. */
export const formatUsage = (what: string): string => `${what}. Either "pem" or "spiffe".`;

/** The root certificates, or all keys as a document, as the commands print them. */
export function bundleText(bundle: types.Bundle, format: BundleFormat): string {
  if (format === 'spiffe') return `${documentText(bundle)}\n`;
  return bundle.x509Authorities
    .flatMap(({ asn1 }) => parseCertificates(asn1))
    .map(({ raw }) => toPem('CERTIFICATE', raw))
    .join('');
}

/** A name above a bundle in a list of several. */
export const headed = (name: string, text: string): string => `${STARS}* ${name}\n${STARS}${text}`;
const STARS = `${'*'.repeat(40)}\n`;

const documentText = (bundle: types.Bundle): string => {
  const { keys = [], ...rest } = JSON.parse(formatBundleDocument(trustBundle(bundle))) as { keys?: object[] };
  const counters = Object.entries(rest).filter(([, value]) => value !== 0);
  return JSON.stringify(
    { keys: keys.length === 0 ? null : keys.map(inOrder), ...Object.fromEntries(counters) },
    undefined,
    4,
  );
};

const MEMBERS = ['use', 'kty', 'kid', 'crv', 'alg', 'x', 'y', 'n', 'e', 'x5c'];

const inOrder = (key: object): object =>
  Object.fromEntries(Object.entries(key).toSorted(([a], [b]) => MEMBERS.indexOf(a) - MEMBERS.indexOf(b)));

const trustBundle = (bundle: types.Bundle): TrustBundle =>
  TrustBundle.of(TrustDomain.fromIdOrName(bundle.trustDomain), {
    x509Authorities: bundle.x509Authorities.map(({ asn1, tainted }) => ({
      certificate: parseCertificate(asn1),
      tainted,
    })),
    jwtAuthorities: bundle.jwtAuthorities.map(({ keyId, publicKey, expiresAt, tainted }) => ({
      kid: keyId,
      publicKey: publicKeyFromSpki(publicKey),
      spki: publicKey,
      expiresAt: Number(expiresAt),
      tainted,
    })),
    sequence: bundle.sequenceNumber,
    refreshHint: Number(bundle.refreshHint),
  });

/** A bundle message from the text of a file. @throws {CommandError} */
export function readBundle(
  text: string,
  format: BundleFormat,
  id: string,
): MessageInitShape<typeof types.BundleSchema> {
  return format === 'pem' ? readPem(text, id) : readDocument(text, id);
}

const readPem = (text: string, id: string): MessageInitShape<typeof types.BundleSchema> => {
  const certificates = explainNow('unable to parse bundle data', () => parseCertificatesPem(text));
  if (certificates.length === 0) throw new CommandError('unable to parse bundle data: no PEM blocks');
  return { trustDomain: id, x509Authorities: certificates.map(({ raw }) => ({ asn1: Uint8Array.from(raw) })) };
};

const readDocument = (text: string, id: string): MessageInitShape<typeof types.BundleSchema> => {
  const trustDomain = readDomain(id);
  const bundle = explainNow('unable to parse to spiffe bundle', () =>
    parseBundleDocument(TrustDomain.parse(trustDomain), text),
  );
  return {
    trustDomain,
    x509Authorities: bundle.x509Authorities.map(({ certificate }) => ({ asn1: Uint8Array.from(certificate.raw) })),
    jwtAuthorities: bundle.jwtAuthorities.map(({ kid, spki }) => ({ keyId: kid, publicKey: Uint8Array.from(spki) })),
    refreshHint: BigInt(bundle.refreshHint),
    sequenceNumber: bundle.sequence,
  };
};
