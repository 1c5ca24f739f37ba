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
      const first = believe(() => buildPath({ ...question, anchors: roots }));
      const others = roots.filter((root) => first.at(-1)?.equals(root) !== true);
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
  return {
    judge(leaf, intermediates) {
      const { id, chain } = believe(() => verifyX509Svid([leaf, ...intermediates], bundles, { now: now() }));
      if (!id.memberOf(trustDomain) || !id.path.startsWith(parent)) {
        throw refused(`the SVID's path is not below "${prefix}"`);
      }
      return { chains: [chain], svidPathTrimmed: id.path.slice(parent.length) };
    },
  };
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
