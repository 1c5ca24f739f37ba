import type { BundleSource } from '../bundle/bundle-source.ts';
import { SpiffeError } from '../errors.ts';
import type { SpiffeId } from '../id/spiffe-id.ts';
import type { TrustDomain } from '../id/trust-domain.ts';
import type { Certificate } from '../x509/certificate.ts';
import { buildPath } from '../x509/chain.ts';
import { OID } from '../x509/oids.ts';
import { requireLeaf } from './leaf-rules.ts';
import { requireUnrevoked } from './require-unrevoked.ts';

export interface VerifyX509SvidOptions {
  /** Unix seconds. */
  readonly now: number;
  /** Whether authorities known to be compromised are left out. By default they still count, so that rotation has time. */
  readonly refuseTainted?: boolean;
  /** Whether the leaf must name both serverAuth and clientAuth, which the standard asks of issuers only (X509-26). */
  readonly requireBothPurposes?: boolean;
}

/** A proven identity. */
export interface VerifiedX509Svid {
  readonly id: SpiffeId;
  /** The path that was found: leaf first, the authority from the bundle last. */
  readonly chain: readonly Certificate[];
}

/** Certificates a peer may send; it bounds the search for a path. */
const MAX_PEER_CERTIFICATES = 10;

/**
 * Verifies a peer's X509-SVID for authentication (X509-SVID section 5). Intermediates come from the peer only, roots only
 * from the bundle of the trust domain that the leaf names. Whether that identity may do what it wants is another question.
 *
 * @param chain as sent by the peer, leaf first
 * @throws SpiffeError `invalid-svid`, `no-bundle`, `untrusted`, `expired`, `not-yet-valid` or `revoked`, with the broken row in `rule`
 */
export function verifyX509Svid(
  chain: readonly Certificate[],
  bundles: BundleSource,
  options: VerifyX509SvidOptions,
): VerifiedX509Svid {
  const [leaf, ...intermediates] = requireBoundedChain(chain);
  const id = requireLeaf(leaf);
  if (options.requireBothPurposes === true) requireBothPurposes(leaf);
  const anchors = requireAuthorities(bundles, id.trustDomain, options.refuseTainted === true);
  const path = buildPath({ leaf, intermediates, anchors, now: options.now });
  path.slice(1, -1).forEach(requireSigningId);
  requireUnrevoked(path, bundles.revocationLists?.() ?? [], options.now);
  return { id, chain: path };
}

function requireBoundedChain(chain: readonly Certificate[]): readonly [Certificate, ...Certificate[]] {
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) throw new SpiffeError('invalid-svid', 'no certificate', { rule: 'X509-28' });
  if (chain.length > MAX_PEER_CERTIFICATES) {
    throw new SpiffeError('invalid-svid', `more than ${MAX_PEER_CERTIFICATES} certificates`, { rule: 'X509-28' });
  }
  return [leaf, ...intermediates];
}

function requireBothPurposes({ extKeyUsage }: Certificate): void {
  if (extKeyUsage?.includes(OID.serverAuth) === true && extKeyUsage.includes(OID.clientAuth)) return;
  throw new SpiffeError('invalid-svid', 'certificate is not for both servers and clients', { rule: 'X509-26' });
}

/** Only the authorities of this very trust domain, never a merged list (ID-28, X509-40). */
function requireAuthorities(bundles: BundleSource, trustDomain: TrustDomain, refuseTainted: boolean): Certificate[] {
  const bundle = bundles.bundleFor(trustDomain);
  if (bundle === undefined || !bundle.trustDomain.equals(trustDomain)) {
    throw new SpiffeError('no-bundle', `no bundle for trust domain ${trustDomain.name}`, { rule: 'ID-28' });
  }
  const trusted = bundle.x509Authorities.filter(({ tainted }) => !(refuseTainted && tainted));
  if (trusted.length > 0) return trusted.map(({ certificate }) => certificate);
  throw new SpiffeError('untrusted', `trust domain ${trustDomain.name} has no X.509 authority`, { rule: 'X509-40' });
}

/** A signing certificate has at most one URI, and if that is a SPIFFE ID it has no path (X509-02, X509-09). */
function requireSigningId({ uriSans }: Certificate): void {
  const [uri, second] = uriSans;
  if (second !== undefined) {
    throw new SpiffeError('untrusted', 'intermediate has more than one URI SAN', { rule: 'X509-02' });
  }
  if (uri?.startsWith('spiffe://') === true && uri.includes('/', 'spiffe://'.length)) {
    throw new SpiffeError('untrusted', 'SPIFFE ID of an intermediate has a path', { rule: 'X509-09' });
  }
}
