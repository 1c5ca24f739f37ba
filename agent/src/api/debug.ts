import type { Clock } from '@steeple/daemon';
import type { debugV1 } from '@steeple/proto/agent-api';
import { Code, GrpcError, type Handlers } from '@steeple/proto/grpc';
import { type Certificate, SpiffeError, SpiffeId, verifyX509Svid } from '@steeple/spiffe';
import type { CurrentSvid } from '../app/current-svid.ts';
import type { IdentityCache } from '../app/identity-cache.ts';
import type { JwtCache } from '../app/jwt-cache.ts';
import type { Sync } from '../app/sync.ts';

export interface DebugParts {
  readonly current: CurrentSvid;
  readonly cache: IdentityCache;
  readonly jwts: Pick<JwtCache, 'size'>;
  readonly sync: Pick<Sync, 'lastSuccess'>;
  readonly clock: Clock;
}

/** spire.agent.debug.v1.Debug: what this agent is and holds. */
export function debugHandlers(parts: DebugParts): Handlers<typeof debugV1.Debug> {
  const { cache, jwts, sync, clock } = parts;
  const started = clock.monotonic();
  return {
    async getInfo() {
      const x509 = cache.svidCount;
      return {
        svidChain: chainOf(parts).map((certificate) => ({
          id: idOf(certificate),
          expiresAt: BigInt(certificate.notAfter),
          subject: certificate.reversedSubjectText,
        })),
        uptime: Math.floor(clock.monotonic() - started),
        svidsCount: x509,
        cachedX509SvidsCount: x509,
        cachedJwtSvidsCount: jwts.size,
        cachedSvidstoreX509SvidsCount: cache.storedSvidCount,
        lastSyncSuccess: BigInt(Math.floor(sync.lastSuccess ?? 0)),
      };
    },
  };
}

/** From the leaf to the root that makes it valid. */
function chainOf({ current, cache, clock }: DebugParts): readonly Certificate[] {
  if (!current.isSet) throw GrpcError.of(Code.UNAVAILABLE, 'this agent has no SVID yet');
  try {
    return verifyX509Svid(current.x509Svid().chain, cache.bundles, { now: clock.now() }).chain;
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause;
    throw new GrpcError(Code.INTERNAL, `failed to verify agent SVID: ${cause.message}`, { cause });
  }
}

function idOf({ uriSans }: Certificate) {
  const [uri, ...others] = uriSans;
  if (uri === undefined || others.length > 0) return undefined;
  try {
    const { trustDomain, path } = SpiffeId.parse(uri);
    return { trustDomain: trustDomain.name, path };
  } catch {
    return undefined;
  }
}
