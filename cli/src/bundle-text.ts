// Bundles between messages, PEM files and SPIFFE bundle documents.
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { types } from '@steeple/proto/server-api';
import {
  formatBundleDocument,
  parseBundleDocument,
  parseCertificate,
  parseCertificatesPem,
  publicKeyFromSpki,
  SpiffeError,
  type TokenAuthority,
  TrustBundle,
  TrustDomain,
  toPem,
} from '@steeple/spiffe';
import { UserError } from './exit.ts';
import { expiry } from './output/relative-time.ts';
import { details } from './output/table.ts';

export function pemOf(bundle: types.Bundle): string {
  return bundle.x509Authorities.map(({ asn1 }) => toPem('CERTIFICATE', asn1).trimEnd()).join('\n');
}

/** Seconds after which readers should look again, unless the publisher says otherwise (TDB-07; SPIRE's default). */
const REFRESH_HINT = 300;

/**
 * The SPIFFE bundle document. WIT keys are in it if the trust domain has some, which it has only where the operator switched
 * WIT-SVIDs on: readers that do not know them, SPIRE before 1.15.3 among them, refuse the whole document.
 */
export function documentOf(bundle: types.Bundle, options: { readonly wit?: boolean } = {}): string {
  const tokens = (keys: readonly (types.JWTKey | types.WITKey)[]) =>
    keys.map((key) => ({
      kid: key.keyId,
      publicKey: publicKeyFromSpki(key.publicKey),
      spki: key.publicKey,
      expiresAt: Number(key.expiresAt),
      tainted: key.tainted,
    }));
  const trust = TrustBundle.of(TrustDomain.parse(bundle.trustDomain), {
    x509Authorities: bundle.x509Authorities.map(({ asn1, tainted }) => ({
      certificate: parseCertificate(asn1),
      tainted,
    })),
    jwtAuthorities: tokens(bundle.jwtAuthorities),
    witAuthorities: tokens(bundle.witAuthorities),
    sequence: bundle.sequenceNumber,
    refreshHint: Number(bundle.refreshHint) || REFRESH_HINT,
  });
  return formatBundleDocument(trust, { wit: options.wit ?? true });
}

export function bundleDetails(bundle: types.Bundle, now: number): string {
  const certificates = bundle.x509Authorities.map(({ asn1, tainted }) => {
    const certificate = parseCertificate(asn1);
    return `${certificate.subjectKeyId ?? certificate.serialHex}, ${expiry(certificate.notAfter, now)}${tainted ? ', tainted' : ''}`;
  });
  const keys = bundle.jwtAuthorities.map(
    ({ keyId, expiresAt, tainted }) => `${keyId}, ${expiry(Number(expiresAt), now)}${tainted ? ', tainted' : ''}`,
  );
  return details([
    ['trust domain', bundle.trustDomain],
    ['sequence', String(bundle.sequenceNumber)],
    ...certificates.map((text) => ['X.509 authority', text] as const),
    ...keys.map((text) => ['JWT authority', text] as const),
    ...bundle.witAuthorities.map(
      (key) => ['WIT authority', `${key.keyId}, ${expiry(Number(key.expiresAt), now)}`] as const,
    ),
  ]);
}

/** A bundle message from the text of a PEM file or a SPIFFE bundle document. */
export function bundleFrom(domain: string, text: string, format: string): MessageInitShape<typeof types.BundleSchema> {
  try {
    if (format === 'pem') {
      const certificates = parseCertificatesPem(text);
      if (certificates.length === 0)
        throw new UserError('the file holds no certificate', 'is it a SPIFFE bundle? use --format spiffe');
      return { trustDomain: domain, x509Authorities: certificates.map(({ raw }) => ({ asn1: new Uint8Array(raw) })) };
    }
    const bundle = parseBundleDocument(TrustDomain.parse(domain), text);
    return {
      trustDomain: domain,
      x509Authorities: bundle.x509Authorities.map(({ certificate }) => ({ asn1: new Uint8Array(certificate.raw) })),
      jwtAuthorities: bundle.jwtAuthorities.map(keyOf),
      witAuthorities: bundle.witAuthorities.map(keyOf),
      refreshHint: BigInt(bundle.refreshHint),
      sequenceNumber: bundle.sequence,
    };
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new UserError(
      `the bundle cannot be read as ${format}: ${error.message}`,
      'choose the form with --format pem or --format spiffe',
    );
  }
}

function keyOf({ kid, spki }: TokenAuthority): { keyId: string; publicKey: Uint8Array<ArrayBuffer> } {
  return { keyId: kid, publicKey: new Uint8Array(spki) };
}
