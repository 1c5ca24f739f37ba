import { formatBundleDocument, type TrustBundle, toPem } from '@steeple/spiffe';

/** Names of SPIRE's. */
export const BUNDLE_FORMATS = ['spiffe', 'jwks', 'pem'] as const;
export type BundleFormat = (typeof BUNDLE_FORMATS)[number];

/** - `spiffe`: the SPIFFE bundle document; `jwks`: its keys without what is SPIFFE's own; `pem`: the X.509 authorities */
export function formatBundle(bundle: TrustBundle, format: BundleFormat, refreshHint?: number): string {
  if (format === 'pem') return pemOf(bundle);
  const hinted = refreshHint === undefined ? bundle : bundle.with({ refreshHint });
  const document = formatBundleDocument(hinted);
  if (format === 'spiffe') return document;
  const { keys } = JSON.parse(document) as { keys: Record<string, unknown>[] };
  // Left out by JSON: undefined.
  return JSON.stringify({ keys: keys.map((key) => ({ ...key, use: undefined })) });
}

/** The X.509 authorities, one after the other; empty if there are none. */
export function pemOf(bundle: TrustBundle): string {
  return bundle.x509Authorities.map(({ certificate }) => toPem('CERTIFICATE', certificate.raw)).join('');
}
