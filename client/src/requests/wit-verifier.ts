import { type BundleSource, SpiffeError, verifyWitSvid, type WitSvid } from '@steeple/spiffe';
import { type Now, systemNow } from '../time.ts';
import type { Authorizer } from '../tls/authorize.ts';
import { coveredTokens } from './covered-tokens.ts';
import { ProofMemory } from './proof-memory.ts';
import { fieldOf, pathOf, type ServerRequest } from './request-fields.ts';
import { RequestRefused, requireAuthorized } from './request-refused.ts';

/** How the WIT-SVID of a request is judged. */
export interface WitRequestPolicy {
  /** WIT bundles by trust domain, such as a `WorkloadBundleSource` of `openWit`. */
  readonly bundles: BundleSource;
  /**
   * Under which scheme and authority we are reached, such as `https://orders.example.org`. Not read from the request: its
   * `Host` is the sender's word, and would let a proof made for another service in.
   */
  readonly origin: string;
  /** Who may come in; the chain it is given is empty, since a token has none. */
  readonly authorize: Authorizer;
  /** Header fields with further tokens about the end user, which the proof must cover when they are sent. */
  readonly otherTokens?: readonly string[] | undefined;
  /** Longest life of a proof in seconds; default 300. */
  readonly maxProofLifetime?: number | undefined;
  /** Accepts each proof once; default: remembered in this process. Share one between the processes of a service. */
  readonly firstUse?: ProofMemory['firstUse'] | undefined;
  /** Unix seconds; default: the machine's clock. */
  readonly now?: Now | undefined;
}

/**
 * Finds out who sent an HTTP request, by the WIT-SVID in `Workload-Identity-Token` and the proof of possession in
 * `Workload-Proof-Token`. A WIT-SVID without its proof, or as a bearer token in `Authorization`, identifies nobody. Refusals
 * have status 400, as WIMSE wants it: 401 would ask for a scheme of `Authorization`.
 *
 * @throws TypeError for an origin that is none of https
 */
export function witRequestVerifier(policy: WitRequestPolicy): (request: ServerRequest) => Promise<WitSvid> {
  const origin = requireOrigin(policy.origin);
  const now = policy.now ?? systemNow;
  const { maxProofLifetime, firstUse = new ProofMemory(now).firstUse } = policy;
  return async (request) => {
    const token = requireField(request, 'workload-identity-token');
    const proof = {
      token: requireField(request, 'workload-proof-token'),
      // Put together and parsed, so that the path is normalised as the sender's URL was, and cannot become an authority.
      audience: origin + new URL(origin + pathOf(request)).pathname,
      covered: coveredTokens((name) => fieldOf(request, name), policy.otherTokens),
      firstUse,
      ...(maxProofLifetime !== undefined && { maxLifetime: maxProofLifetime }),
    };
    const caller = judged(() => verifyWitSvid(token, policy.bundles, proof, { now: now() }));
    requireAuthorized(() => policy.authorize(caller.id, []));
    return caller;
  };
}

function judged(verify: () => WitSvid): WitSvid {
  try {
    return verify();
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    const what = cause.code === 'invalid-proof' ? 'the proof of possession' : 'the WIT-SVID';
    throw new RequestRefused(400, 'invalid-credential', `${what} is not valid for this request`, { cause });
  }
}

function requireField(request: ServerRequest, name: string): string {
  const value = fieldOf(request, name);
  if (value !== undefined && value !== '') return value;
  throw new RequestRefused(
    400,
    'no-credential',
    `a WIT-SVID with its proof is needed: header field ${name} is missing`,
  );
}

function requireOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && (text === url.origin || text === `${url.origin}/`)) return url.origin;
  throw new TypeError(`the origin must be https://name or https://name:port, not ${JSON.stringify(text)}`);
}
