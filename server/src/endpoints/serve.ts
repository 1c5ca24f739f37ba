import type { Clock, Logger } from '@steeple/daemon';
import { GrpcHost, type HostLimits, type Peer } from '@steeple/daemon/listen';
import type { Handlers, Middleware } from '@steeple/proto/grpc';
import { healthV1 } from '@steeple/proto/infra';
import {
  agentV1,
  bundleV1,
  debugV1,
  entryV1,
  localauthorityV1,
  loggerV1,
  svidV1,
  trustdomainV1,
} from '@steeple/proto/server-api';
import { rolloutV1, syncV1 } from '@steeple/proto/steeple-api';
import { toGrpcError } from '../api/status.ts';
import { auditLog } from './audit-log.ts';
import { callAdmission } from './call-admission.ts';
import { callLog } from './call-log.ts';
import { type GuardParts, guard } from './guard.ts';
import { type RateSwitches, rateLimits } from './rate-limits.ts';

/** The services' handlers, by service. */
export interface Services {
  readonly agent: Handlers<typeof agentV1.Agent>;
  readonly bundle: Handlers<typeof bundleV1.Bundle>;
  readonly entry: Handlers<typeof entryV1.Entry>;
  readonly svid: Handlers<typeof svidV1.SVID>;
  readonly trustDomain: Handlers<typeof trustdomainV1.TrustDomain>;
  readonly localAuthority: Handlers<typeof localauthorityV1.LocalAuthority>;
  readonly sync: Handlers<typeof syncV1.Sync>;
  readonly rollout: Handlers<typeof rolloutV1.Rollout>;
  readonly debug: Handlers<typeof debugV1.Debug>;
  readonly logger: Handlers<typeof loggerV1.Logger>;
  readonly health: Handlers<typeof healthV1.Health>;
}

export interface ServeParts {
  readonly services: Services;
  readonly guard: Omit<GuardParts, 'peer'>;
  readonly rateLimit: RateSwitches;
  readonly auditLog: boolean;
  /** What counts the calls; nothing when nobody asks for numbers. */
  readonly meter: readonly Middleware[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** As SPIRE's server has it: certificates are checked against the bundle of the day every three minutes. */
const REMOTE_LIMITS: HostLimits = { age: { max: 180, grace: 10 }, concurrentStreams: 250, sessionMegabytes: 16 };

/** What agents and remote administrators can call. */
export const remoteHost = (parts: ServeParts): GrpcHost => {
  const host = newHost(parts, REMOTE_LIMITS, [callAdmission(parts.clock)]);
  addCommon(host, parts.services);
  host.add(syncV1.Sync, parts.services.sync);
  return host;
};

/** What the admin socket offers. */
export const localHost = (parts: ServeParts): GrpcHost => {
  const host = newHost(parts);
  addCommon(host, parts.services);
  host.add(debugV1.Debug, parts.services.debug);
  host.add(loggerV1.Logger, parts.services.logger);
  host.add(healthV1.Health, parts.services.health);
  return host;
};

const addCommon = (host: GrpcHost, services: Services): void => {
  host.add(agentV1.Agent, services.agent);
  host.add(bundleV1.Bundle, services.bundle);
  host.add(entryV1.Entry, services.entry);
  host.add(svidV1.SVID, services.svid);
  host.add(trustdomainV1.TrustDomain, services.trustDomain);
  host.add(localauthorityV1.LocalAuthority, services.localAuthority);
  host.add(rolloutV1.Rollout, services.rollout);
};

const newHost = (parts: ServeParts, options: HostLimits = {}, admission: readonly Middleware[] = []): GrpcHost => {
  const { logger, clock } = parts;
  const host: GrpcHost = new GrpcHost({
    logger,
    clock,
    options,
    middleware: chain(parts, admission, (key) => host.peer(key)),
    mapError: (error) => toGrpcError(error),
  });
  return host;
};

/** Log, identify and allow, rate, admit, audit, handle: nothing below the guard runs for a caller that may not call. */
const chain = (
  parts: ServeParts,
  admission: readonly Middleware[],
  peer: (key: string) => Peer | undefined,
): Middleware[] => [
  ...parts.meter,
  callLog(parts.logger, parts.clock),
  guard({ ...parts.guard, peer }),
  rateLimits(parts.rateLimit, parts.clock),
  ...admission,
  ...(parts.auditLog ? [auditLog(parts.logger)] : []),
];
