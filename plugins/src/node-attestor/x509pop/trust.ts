import { IssuerError } from '@steeple/core';
import { type BundleSource, type Certificate, SpiffeError, type TrustDomain, verifyX509Svid } from '@steeple/spiffe';
import { verifiedChains } from './chain.ts';
import type { CertificateTrust } from './verifier.ts';

/** Certificates under configured authorities. `now` gives Unix seconds. */
export function publicKeyInfrastructure(roots: readonly Certificate[], now: () => number): CertificateTrust {
  return {
    judge: (leaf, intermediates) => ({
      chains: verifiedChains({ leaf, intermediates, roots, now: now() }),
      svidPathTrimmed: '',
    }),
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
      const { id, chain } = verify([leaf, ...intermediates]);
      if (!id.memberOf(trustDomain) || !id.path.startsWith(parent)) {
        throw refused(`the SVID's path is not below "${prefix}"`);
      }
      return { chains: [chain], svidPathTrimmed: id.path.slice(parent.length) };
    },
  };

  function verify(chain: readonly Certificate[]): ReturnType<typeof verifyX509Svid> {
    try {
      return verifyX509Svid(chain, bundles, { now: now() });
    } catch (cause) {
      if (!(cause instanceof SpiffeError)) throw cause;
      throw refused(cause.message, cause);
    }
  }
}

function refused(reason: string, cause?: unknown): IssuerError {
  return new IssuerError('permission-denied', `certificate verification failed: ${reason}`, { cause });
}
