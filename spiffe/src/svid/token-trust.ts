import type { BundleSource } from '../bundle/bundle-source.ts';
import type { TokenAuthority } from '../bundle/token-authority.ts';
import type { TrustBundle } from '../bundle/trust-bundle.ts';
import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import type { CompactJws } from '../jwt/compact-jws.ts';
import { verifyWith } from '../jwt/signature.ts';
import { refused } from '../jwt/token-kind.ts';

/** The bundle of exactly the subject's trust domain (ID-28, FED-11). */
export function requireBundle(jws: CompactJws, id: SpiffeId, bundles: BundleSource): TrustBundle {
  const bundle = bundles.bundleFor(id.trustDomain);
  // A source that answers with another domain's bundle would merge two trust domains.
  if (bundle !== undefined && bundle.trustDomain.equals(id.trustDomain)) return bundle;
  throw new SpiffeError('no-bundle', `${jws.kind.name}: no bundle for trust domain ${id.trustDomain.name}`, {
    rule: 'ID-28',
  });
}

/** The `kid` header: a non-empty string, or `undefined` when the header has none. */
export function readKid(jws: CompactJws): string | undefined {
  const { kid } = jws.header;
  if (kid === undefined || (typeof kid === 'string' && kid !== '')) return kid;
  throw refused(jws.kind, jws.kind.shape, 'the key id is no text');
}

/** One of the keys, fitting the algorithm, made the signature over the bytes received. */
export function requireSignature(jws: CompactJws, candidates: readonly TokenAuthority[]): void {
  if (candidates.length === 0) throw untrusted(jws, jws.kind.keys, 'not signed by a known key of its trust domain');
  const { algorithm, signed, signature } = jws;
  if (candidates.some(({ publicKey }) => verifyWith(algorithm, publicKey, signed, signature))) return;
  throw untrusted(jws, jws.kind.signature, 'the signature is wrong');
}

function untrusted(jws: CompactJws, rule: string, problem: string): SpiffeError {
  return new SpiffeError('untrusted', `${jws.kind.name}: ${problem}`, { rule });
}
