import { Code, GrpcError } from '@steeple/proto/grpc';
import { BundleSet, type JwtSvid, SpiffeError, verifyJwtSvid } from '@steeple/spiffe';
import type { WorkloadView } from '../app/workload-view.ts';

const SPIFFE_CLAIMS: readonly string[] = ['sub', 'aud', 'exp'];

/**
 * Verifies a token for a workload, by the bundles of the trust domains the workload may talk to. Whatever is wrong with
 * the token, the status is InvalidArgument: clients must not try the same one again.
 */
export function validateJwtSvid(
  token: string,
  audience: string,
  view: WorkloadView,
  options: { readonly now: number; readonly allowedForeignClaims: readonly string[] },
): { readonly svid: JwtSvid; readonly claims: Readonly<Record<string, unknown>> } {
  const bundles = BundleSet.of(view.bundle, ...view.federatedBundles);
  const svid = verify(token, bundles, audience, options.now);
  const own = svid.id.memberOf(view.bundle.trustDomain);
  // What another issuer put into its tokens beside the standard's claims is none of our workloads' business.
  const passed = [...SPIFFE_CLAIMS, ...options.allowedForeignClaims];
  const claims = Object.entries(svid.claims).filter(([name]) => own || passed.includes(name));
  return { svid, claims: { ...Object.fromEntries(claims), aud: svid.audience } };
}

function verify(token: string, bundles: BundleSet, audience: string, now: number): JwtSvid {
  try {
    return verifyJwtSvid(token, bundles, [audience], { now });
  } catch (error) {
    if (!(error instanceof SpiffeError)) throw error;
    throw new GrpcError(Code.INVALID_ARGUMENT, error.message, { cause: error });
  }
}
