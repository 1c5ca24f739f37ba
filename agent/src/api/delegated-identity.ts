import { create } from '@bufbuild/protobuf';
import type { Logger } from '@steeple/daemon';
import { delegatedidentityV1 } from '@steeple/proto/agent-api';
import { Code, GrpcError, type Handlers } from '@steeple/proto/grpc';
import { concatCertificates, formatJwks, type TrustBundle } from '@steeple/spiffe';
import type { AgentEntry } from '../app/agent-entry.ts';
import { viewsOf } from '../app/caller-views.ts';
import type { IdentityCache } from '../app/identity-cache.ts';
import type { JwtCache } from '../app/jwt-cache.ts';
import { noIdentity } from '../app/no-identity.ts';
import type { WorkloadView } from '../app/workload-view.ts';
import type { Caller } from './callers.ts';
import type { Delegates } from './delegates.ts';
import { distinctMessages } from './distinct-messages.ts';
import { oncePer } from './once-per.ts';
import { readAudience } from './requests.ts';
import { own, pkcs8 } from './translate.ts';
import { notYet } from './workload-calls.ts';

export interface DelegatedIdentityParts {
  readonly delegates: Delegates;
  readonly cache: IdentityCache;
  readonly jwts: JwtCache;
  readonly logger: Logger;
}

const {
  SubscribeToX509SVIDsResponseSchema,
  SubscribeToX509BundlesResponseSchema,
  SubscribeToJWTBundlesResponseSchema,
} = delegatedidentityV1;

/** spire.api.agent.delegatedidentity.v1: identities of other workloads, for delegates. */
export function delegatedIdentityHandlers(
  parts: DelegatedIdentityParts,
): Handlers<typeof delegatedidentityV1.DelegatedIdentity> {
  const { delegates, cache, jwts, logger } = parts;
  const x509 = oncePer(x509Response);
  const bundles = oncePer(x509BundlesResponse);
  const keys = oncePer(jwtBundlesResponse);

  return {
    async *subscribeToX509SVIDs(request, ctx) {
      const delegate = await delegates.require(ctx);
      try {
        const subject = await delegates.subject(request, delegate);
        try {
          const messages = mapped(settledViews(cache, subject), x509);
          yield* distinctMessages(SubscribeToX509SVIDsResponseSchema, messages);
          throw subject.signal.reason;
        } finally {
          subject.release();
        }
      } finally {
        delegate.release();
      }
    },

    async *subscribeToX509Bundles(_request, ctx) {
      const delegate = await delegates.require(ctx);
      try {
        const messages = mapped(cache.watchBundles(delegate.signal), bundles);
        yield* distinctMessages(SubscribeToX509BundlesResponseSchema, messages);
        throw delegate.signal.reason;
      } finally {
        delegate.release();
      }
    },

    async *subscribeToJWTBundles(_request, ctx) {
      const delegate = await delegates.require(ctx);
      try {
        const messages = mapped(cache.watchBundles(delegate.signal), keys);
        yield* distinctMessages(SubscribeToJWTBundlesResponseSchema, messages);
        throw delegate.signal.reason;
      } finally {
        delegate.release();
      }
    },

    async fetchJWTSVIDs(request, ctx) {
      const audience = readAudience(request.audience);
      const delegate = await delegates.require(ctx);
      try {
        const subject = await delegates.subject(request, delegate);
        try {
          const entries = cache.view(subject.selectors).entries.filter(isDeliverable);
          if (entries.length === 0) throw cache.synced ? noIdentity(subject.failed) : notYet();
          return { svids: await Promise.all(entries.map((entry) => tokenOf(entry, audience, subject.signal))) };
        } finally {
          subject.release();
        }
      } finally {
        delegate.release();
      }
    },
  };

  async function tokenOf(entry: AgentEntry, audience: readonly string[], signal: AbortSignal) {
    const { spiffeId, hint } = entry;
    try {
      const { token, expiresAt, issuedAt = 0 } = await jwts.get(entry, audience, signal);
      const id = { trustDomain: spiffeId.trustDomain.name, path: spiffeId.path };
      return { token, id, hint, expiresAt: seconds(expiresAt), issuedAt: seconds(issuedAt) };
    } catch (cause) {
      if (signal.aborted) throw cause;
      logger.warn('Could not fetch a JWT-SVID for a delegate', { spiffeId: spiffeId.toString(), error: cause });
      throw new GrpcError(Code.UNAVAILABLE, 'could not fetch JWT-SVID', { cause });
    }
  }
}

/** The rights over the server that these give are not a delegate's business. */
function isDeliverable({ admin, downstream }: AgentEntry): boolean {
  return !admin && !downstream;
}

function x509Response({ identities, federatedBundles }: WorkloadView) {
  return create(SubscribeToX509SVIDsResponseSchema, {
    x509Svids: identities
      .filter(({ entry }) => isDeliverable(entry))
      .map(({ entry: { spiffeId, hint }, svid }) => ({
        x509Svid: {
          id: { trustDomain: spiffeId.trustDomain.name, path: spiffeId.path },
          certChain: svid.chain.map(({ raw }) => own(raw)),
          expiresAt: seconds(svid.leaf.notAfter),
          hint,
        },
        x509SvidKey: pkcs8(svid),
      })),
    federatesWith: federatedBundles.map(({ trustDomain }) => trustDomain.id),
  });
}

function x509BundlesResponse(bundles: readonly TrustBundle[]) {
  const roots = (bundle: TrustBundle) =>
    own(concatCertificates(bundle.x509Authorities.map(({ certificate }) => certificate)));
  return create(SubscribeToX509BundlesResponseSchema, { caCertificates: keyed(bundles, roots) });
}

function jwtBundlesResponse(bundles: readonly TrustBundle[]) {
  const keys = (bundle: TrustBundle) => own(new TextEncoder().encode(formatJwks(bundle.jwtAuthorities)));
  return create(SubscribeToJWTBundlesResponseSchema, { bundles: keyed(bundles, keys) });
}

function keyed<T>(bundles: readonly TrustBundle[], value: (bundle: TrustBundle) => T): Record<string, T> {
  return Object.fromEntries(bundles.map((bundle) => [bundle.trustDomain.id, value(bundle)]));
}

async function* settledViews(cache: IdentityCache, subject: Caller): AsyncGenerator<WorkloadView, void> {
  for await (const view of viewsOf(cache, subject, { x509: true })) if (view.settled) yield view;
}

async function* mapped<T, R>(values: AsyncIterable<T>, map: (value: T) => R): AsyncGenerator<R, void> {
  for await (const value of values) yield map(value);
}

function seconds(instant: number): bigint {
  return BigInt(Math.floor(instant));
}
