import { pkcs8Of, type TrustBundle, toPem } from '@steeple/spiffe';
import type { StorableSvid } from '../svid-store.ts';

/** File names as spiffe-helper has them, with contents in PEM. Federated trust domains get one file each. */
export function formatSvidFiles({ svid, bundle, federatedBundles }: StorableSvid): ReadonlyMap<string, string> {
  return new Map([
    ['svid.pem', svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join('')],
    ['svid_key.pem', toPem('PRIVATE KEY', pkcs8Of(svid.privateKey))],
    ['svid_bundle.pem', rootsOf(bundle)],
    ...federatedBundles.map((one) => [`federated_${one.trustDomain.name}.pem`, rootsOf(one)] as const),
  ]);
}

function rootsOf(bundle: TrustBundle): string {
  return bundle.x509Authorities.map(({ certificate }) => toPem('CERTIFICATE', certificate.raw)).join('');
}
