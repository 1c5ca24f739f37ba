import { BundleSet } from '../bundle/bundle-set.ts';
import { type TokenAuthority, tokenAuthority } from '../bundle/token-authority.ts';
import { TrustBundle, type TrustBundleParts } from '../bundle/trust-bundle.ts';
import { TrustDomain } from '../id/trust-domain.ts';
import { TEST_KEYS, type TestKey } from './test-keys.ts';

const authority = (kid: string, key: TestKey): TokenAuthority => tokenAuthority(kid, TEST_KEYS[key].publicKey);
const bundle = (name: string, parts: Partial<TrustBundleParts> = {}): TrustBundle =>
  TrustBundle.of(TrustDomain.parse(name), parts);

/** The trust domains that the token vectors speak of: own, federated (reusing a key id), and one without token keys. */
export const TOKEN_BUNDLES = BundleSet.of(
  bundle('a.test', {
    jwtAuthorities: [
      ...(['p256', 'p384', 'p521', 'rsa'] as const).map((key) => authority(key, key)),
      authority(' a/../b é', 'p256'),
    ],
    witAuthorities: [authority('wit', 'wit'), authority('ü/ k', 'wit')],
  }),
  bundle('b.test', { jwtAuthorities: [authority('p256', 'stranger')] }),
  bundle('empty.test'),
);
