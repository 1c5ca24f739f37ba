import { IssuerError } from '@steeple/core';
import {
  type BundleSource,
  buildPath,
  type Certificate,
  SpiffeError,
  type TrustDomain,
  verifyX509Svid,
} from '@steeple/spiffe';
import type { CertificateTrust } from './verifier.ts';

type Chain = readonly Certificate[];

/**
 * Certificates under configured authorities, by RFC 5280; the leaf may have any extended key usage. There is one chain for
 * each root that vouches. `now` gives Unix seconds.
 */
export function publicKeyInfrastructure(roots: readonly Certificate[], now: () => number): CertificateTrust {
  return {
    judge(leaf, intermediates) {
      const question = { leaf, intermediates, now: now() };
      if (roots.some((root) => root.equals(leaf)))
        return { chains: [ownRoot(leaf, question.now)], svidPathTrimmed: '' };
      const first = believe(() => buildPath({ ...question, anchors: roots }));
      // Whoever shows a good chain must not make the server search once for each of many roots.
      const others = roots.filter(
        (root) => !root.equals(first.at(-1) ?? leaf) && isNamedBy(root, [leaf, ...intermediates]),
      );
      const more = others.flatMap((root) => pathIfAny(() => buildPath({ ...question, anchors: [root] })));
      return { chains: [first, ...more], svidPathTrimmed: '' };
    },
  };
}

/** X509-SVIDs of one trust domain whose path is below `prefix`. */
export function svidsUnder(
  prefix: string,
  trustDomain: TrustDomain,
  bundles: BundleSource,
  now: () => number,
): CertificateTrust {
  const parent = prefix.endsWith('/') ? prefix : `${prefix}/`;
  // Who stole an authority's key must not turn it into agents that outlive the rotation.
  const options = () => ({ now: now(), refuseTainted: true });
  return {
    judge(leaf, intermediates) {
      const { id, chain } = believe(() => verifyX509Svid([leaf, ...intermediates], bundles, options()));
      if (!id.memberOf(trustDomain) || !id.path.startsWith(parent)) {
        throw refused(`the SVID's path is not below "${prefix}"`);
      }
      return { chains: [chain], svidPathTrimmed: id.path.slice(parent.length) };
    },
  };
}

/** A certificate that is configured itself needs nobody to vouch for it. */
function ownRoot(leaf: Certificate, now: number): Chain {
  if (leaf.unknownCritical.length > 0) throw refused('it has a critical extension that is not understood');
  if (now < leaf.notBefore || now > leaf.notAfter) throw refused('it is not valid now');
  return [leaf];
}

function isNamedBy(root: Certificate, certificates: Chain): boolean {
  return certificates.some(({ issuer }) => Buffer.from(issuer).equals(root.subject));
}

function pathIfAny(build: () => Chain): Chain[] {
  try {
    return [build()];
  } catch (error) {
    if (error instanceof SpiffeError) return [];
    throw error;
  }
}

function believe<T>(verify: () => T): T {
  try {
    return verify();
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw refused(cause.message, cause);
  }
}

function refused(reason: string, cause?: unknown): IssuerError {
  return new IssuerError('permission-denied', `certificate verification failed: ${reason}`, { cause });
}
