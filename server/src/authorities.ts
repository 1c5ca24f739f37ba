import type { AuthorityKind } from '@steeple/core';
import type { Clock, Logger } from '@steeple/daemon';
import type { CallMeter } from '@steeple/daemon/metrics';
import type { Datastore, KeyManager } from '@steeple/plugins';
import { ActiveAuthorities } from './app/active-authorities.ts';
import { AuthorityBook } from './app/authority-book.ts';
import { AuthorityKeys } from './app/authority-keys.ts';
import { AuthorityRotation } from './app/authority-rotation.ts';
import { AuthorityTaints } from './app/authority-taints.ts';
import { BundleDelivery } from './app/bundle-delivery.ts';
import type { Bundles } from './app/bundles.ts';
import { Downstream } from './app/downstream.ts';
import type { RandomBytes } from './app/randomness.ts';
import { Serial } from './app/serial.ts';
import { Upstream } from './app/upstream.ts';
import type { ServerConfig } from './config.ts';
import {
  measuredActive,
  measuredDownstream,
  measuredKeyManager,
  measuredKeys,
} from './metrics/measured-authorities.ts';
import { createPlugin } from './plugins.ts';

export interface AuthorityParts {
  readonly bundles: Bundles;
  readonly keys: KeyManager;
  readonly datastore: Datastore;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  /** Undefined: nothing is counted. */
  readonly meter: CallMeter | undefined;
}

/** All that signs: made by ourselves or below an upstream authority, and handled one change at a time. */
export interface Authorities {
  readonly active: ActiveAuthorities;
  readonly rotation: AuthorityRotation;
  readonly taints: AuthorityTaints;
  readonly delivery: BundleDelivery;
  readonly downstream: Downstream;
  readonly upstream: Upstream | undefined;
}

export const createAuthorities = async (
  config: ServerConfig,
  parts: AuthorityParts,
  stack: AsyncDisposableStack,
): Promise<Authorities> => {
  const { clock, random, logger, datastore, bundles, meter } = parts;
  const { trustDomain } = config;
  const choice = config.plugins.upstreamAuthority;
  const host = { logger, clock, trustDomain };
  const upstream = choice && new Upstream(await createPlugin('upstream-authority', choice, host), { ...host, random });
  if (upstream) stack.defer(() => upstream.close());

  const settings = { trustDomain, ttl: config.caTtl, subject: config.caSubject, keyTypes: config.keyTypes };
  const manager = meter ? measuredKeyManager(parts.keys, meter) : parts.keys;
  const ownKeys = new AuthorityKeys(manager, random, settings, upstream);
  const keys = meter ? measuredKeys(ownKeys, meter) : ownKeys;
  const book = new AuthorityBook(datastore.authorities, bundles);
  const serial = new Serial();
  const taints = new AuthorityTaints(book, serial, upstream !== undefined, logger);
  const delivery = new BundleDelivery(datastore.agents, clock);
  const signing = new ActiveAuthorities();
  const active = meter ? measuredActive(signing, meter, { trustDomain, now: () => clock.now() }) : signing;
  const kinds = authorityKinds(config);
  const shared = { kinds, book, serial, keys, taints, delivery, active, upstream };
  const rotation = new AuthorityRotation({ ...shared, clock, logger });
  stack.defer(() => rotation.stop());
  const below = { trustDomain, clock, random, caTtl: config.caTtl, hasWit: config.witEnabled };
  const unmeasured = new Downstream({ ...shared, ...below });
  const downstream = meter ? measuredDownstream(unmeasured, meter) : unmeasured;
  return { active, rotation, taints, delivery, downstream, upstream };
};

const authorityKinds = ({ jwtEnabled, witEnabled }: ServerConfig): AuthorityKind[] => [
  'x509',
  ...(jwtEnabled ? (['jwt'] as const) : []),
  ...(witEnabled ? (['wit'] as const) : []),
];
