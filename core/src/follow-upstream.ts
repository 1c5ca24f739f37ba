import type { Certificate, TokenAuthority, TrustBundle, X509Authority } from '@steeple/spiffe';
import { advance } from './bundle-changes.ts';

/** What an upstream authority trusts; a kind it does not speak of is left out. */
export interface UpstreamTrust {
  readonly x509: readonly X509Authority[];
  /** It marks what is compromised, so that a marked root which is gone was revoked. Files of certificates do not. */
  readonly marks?: boolean;
  readonly jwt?: readonly TokenAuthority[];
  readonly wit?: readonly TokenAuthority[];
}

export interface FollowedUpstream {
  readonly bundle: TrustBundle;
  /**
   * Roots that upstream has marked and this bundle has not yet. They are marked here only once nothing of ours is signed
   * under them any more: whoever sees the mark asks for a new SVID, and must not get one that is marked again.
   */
  readonly newlyTainted: readonly Certificate[];
}

/**
 * The bundle after a look upstream. What is new there is added; what upstream has merely dropped stays until it expires,
 * because SVIDs under it are in use; what was marked here and is gone there was revoked, and goes, if upstream marks at all.
 *
 * @param revokedHere key ids that were revoked at this server and are not to come back from above
 */
export function followUpstream(
  bundle: TrustBundle,
  trust: UpstreamTrust,
  revokedHere: ReadonlySet<string> = new Set(),
): FollowedUpstream {
  const { x509, newlyTainted } = followRoots(bundle.x509Authorities, trust);
  const followed = advance(bundle, {
    x509Authorities: x509,
    jwtAuthorities: followKeys(bundle.jwtAuthorities, trust.jwt, revokedHere),
    witAuthorities: followKeys(bundle.witAuthorities, trust.wit, revokedHere),
  });
  return { bundle: followed, newlyTainted };
}

function followRoots(known: readonly X509Authority[], { x509: upstream, marks = false }: UpstreamTrust) {
  const above = new Map(upstream.map((root) => [rootName(root), root]));
  const here = new Set(known.map(rootName));
  const kept = known.filter((root) => !root.tainted || !marks || above.has(rootName(root)));
  const added = upstream.filter((root) => !here.has(rootName(root)));
  const newlyTainted = known.filter((root) => !root.tainted && above.get(rootName(root))?.tainted === true);
  return { x509: [...kept, ...added], newlyTainted: newlyTainted.map(({ certificate }) => certificate) };
}

function followKeys(
  known: readonly TokenAuthority[],
  upstream: readonly TokenAuthority[] | undefined,
  revokedHere: ReadonlySet<string>,
): readonly TokenAuthority[] {
  if (upstream === undefined) return known;
  const above = new Map(upstream.map((key) => [key.kid, key]));
  const here = new Set(known.map(({ kid }) => kid));
  // A token names its key, so nothing can be signed again by one that is marked: the mark may come at once.
  const kept = known
    .filter((key) => !key.tainted || above.has(key.kid))
    .map((key) => (above.get(key.kid)?.tainted === true ? { ...key, tainted: true } : key));
  return [...kept, ...upstream.filter(({ kid }) => !here.has(kid) && !revokedHere.has(kid))];
}

/** The same authority may be published again with another certificate: only the very certificate is the same root. */
function rootName({ certificate }: X509Authority): string {
  return certificate.raw.join();
}
