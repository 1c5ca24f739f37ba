import type { Clock } from '@steeple/daemon';
import { Code, GrpcError, type Handlers } from '@steeple/proto/grpc';
import {
  JWTBundlesResponseSchema,
  type SpiffeWorkloadAPI,
  WITBundlesResponseSchema,
  WITSVIDResponseSchema,
  X509BundlesResponseSchema,
  X509SVIDResponseSchema,
} from '@steeple/proto/workload';
import type { TrustBundle } from '@steeple/spiffe';
import type { JwtCache } from '../app/jwt-cache.ts';
import { repeatLatest } from '../app/repeat-latest.ts';
import type { WitCache } from '../app/wit-cache.ts';
import type { WorkloadView } from '../app/workload-view.ts';
import { oncePer } from './once-per.ts';
import { readAudience, requireText, selectEntries } from './requests.ts';
import {
  jwtBundlesResponse,
  jwtSvidResponse,
  validateResponse,
  witBundlesResponse,
  witSvidResponse,
  x509BundlesResponse,
  x509SvidResponse,
} from './translate.ts';
import { validateJwtSvid } from './validate-jwt-svid.ts';
import { notYet, type StreamOptions, type WorkloadCalls } from './workload-calls.ts';

type Profile = 'x509' | 'jwt' | 'wit';

interface WorkloadApiSettings {
  /** Which kinds of SVIDs are offered. */
  readonly profiles: Readonly<Record<Profile, boolean>>;
  /** Whether callers without identity get the own bundle. */
  readonly allowUnauthenticatedVerifiers: boolean;
  /** Claims of other trust domains' tokens that are passed on beside sub, aud and exp. */
  readonly allowedForeignJwtClaims: readonly string[];
}

export interface WorkloadApiParts {
  readonly calls: WorkloadCalls;
  readonly jwts: JwtCache;
  readonly wits: WitCache;
  readonly clock: Clock;
  readonly settings: WorkloadApiSettings;
  /** Turns a failed question to the server into what the workload is told. */
  readonly serverFailure: (error: unknown) => GrpcError;
}

/** The SPIFFE Workload API. The security header was checked before any of this runs. */
export function workloadHandlers(parts: WorkloadApiParts): Handlers<typeof SpiffeWorkloadAPI> {
  const { calls, jwts, wits, clock, settings } = parts;
  // Before attestation, so that nobody has to be somebody to learn that a profile is not offered (section 7).
  const requireProfile = (profile: Profile): void => requireOffered(settings, profile);
  const x509 = oncePer(x509SvidResponse);
  const x509Svids = { x509: true, project: (view: WorkloadView) => x509View(view, calls, x509) };
  const bundles = <T extends object>(respond: (bundles: readonly TrustBundle[]) => T): StreamOptions<T> => {
    const message = oncePer((view: WorkloadView) => respond([view.bundle, ...view.federatedBundles]));
    return { project: (view) => message(requireBundles(view, calls, settings)) };
  };
  const [x509Bundles, jwtBundles] = [bundles(x509BundlesResponse), bundles(jwtBundlesResponse)];
  const witBundles = bundles(witBundlesResponse);

  return {
    fetchX509SVID(_request, ctx) {
      requireProfile('x509');
      return calls.stream(X509SVIDResponseSchema, ctx, x509Svids);
    },

    fetchX509Bundles(_request, ctx) {
      requireProfile('x509');
      return calls.stream(X509BundlesResponseSchema, ctx, x509Bundles);
    },

    fetchJWTBundles(_request, ctx) {
      requireProfile('jwt');
      return calls.stream(JWTBundlesResponseSchema, ctx, jwtBundles);
    },

    async fetchJWTSVID(request, ctx) {
      requireProfile('jwt');
      const audience = readAudience(request.audience);
      const entries = selectEntries(request.spiffeId);
      return calls.answer(ctx, async (view) => {
        const chosen = entries(calls.requireEntries(view));
        try {
          return jwtSvidResponse(await Promise.all(chosen.map((entry) => jwts.get(entry, audience, ctx.signal))));
        } catch (error) {
          throw parts.serverFailure(error);
        }
      });
    },

    async validateJWTSVID({ audience, svid }, ctx) {
      requireProfile('jwt');
      requireText(audience, 'audience');
      requireText(svid, 'svid');
      return calls.answer(ctx, (view) => {
        if (!calls.synced && view.bundle.jwtAuthorities.length === 0) throw notYet();
        const judged = validateJwtSvid(svid, audience, view, {
          now: clock.now(),
          allowedForeignClaims: settings.allowedForeignJwtClaims,
        });
        return validateResponse(judged.svid, judged.claims);
      });
    },

    async *fetchWITSVID(request, ctx) {
      requireProfile('wit');
      const entries = selectEntries(request.spiffeId);
      let askAgainAt = 0;
      yield* calls.stream(WITSVIDResponseSchema, ctx, {
        through: (views, signal) => repeatLatest(views, () => askAgainAt - clock.now(), clock, signal),
        async project(view, signal) {
          const chosen = entries(calls.requireEntries(view));
          const held = await wits.get(chosen, signal).catch((error: unknown) => {
            throw parts.serverFailure(error);
          });
          askAgainAt = held.askAgainAt;
          return witSvidResponse(held.wits);
        },
      });
    },

    fetchWITBundles(_request, ctx) {
      requireProfile('wit');
      return calls.stream(WITBundlesResponseSchema, ctx, witBundles);
    },
  };
}

/** What can be handed out; nothing while the first SVID of an identity is on its way. */
function x509View<T>(view: WorkloadView, calls: WorkloadCalls, respond: (view: WorkloadView) => T): T | undefined {
  calls.requireEntries(view);
  if (!calls.synced && view.identities.length === 0) throw notYet();
  if (calls.synced && !view.settled) return undefined;
  if (view.identities.length === 0) throw notYet('no valid X509-SVID is at hand; the server does not answer');
  return respond(view);
}

function requireBundles(view: WorkloadView, calls: WorkloadCalls, settings: WorkloadApiSettings): WorkloadView {
  if (!settings.allowUnauthenticatedVerifiers || !calls.synced) calls.requireEntries(view);
  return view;
}

function requireOffered({ profiles }: WorkloadApiSettings, profile: Profile): void {
  if (profiles[profile]) return;
  throw GrpcError.of(Code.UNIMPLEMENTED, `the ${profile.toUpperCase()}-SVID profile is not enabled on this agent`);
}
