import { type AgentRecord, isBanned } from '@steeple/core';
import type { Clock } from '@steeple/daemon';
import type { Handlers } from '@steeple/proto/grpc';
import type { rolloutV1 } from '@steeple/proto/steeple-api';
import { SpiffeId } from '@steeple/spiffe';
import type { BundleDelivery, BundleHolder } from '../app/bundle-delivery.ts';
import type { Bundles } from '../app/bundles.ts';
import { wireTime } from './translate/number.ts';
import { wireId } from './translate/spiffe-id.ts';

export interface RolloutUse {
  readonly bundles: Bundles;
  readonly delivery: Pick<BundleDelivery, 'list'>;
  readonly datastore: { readonly agents: { loadAll(): Promise<readonly AgentRecord[]> } };
  readonly clock: Clock;
}

/** steeple.rollout.v1.Rollout: how far the bundle has come. */
export const rolloutHandlers = (use: RolloutUse): Handlers<typeof rolloutV1.Rollout> => ({
  async listHolders() {
    const now = use.clock.now();
    const agents = new Map((await use.datastore.agents.loadAll()).map((agent) => [agent.id.toString(), agent]));
    const isGone = (id: string): boolean => {
      const agent = agents.get(id);
      return agent === undefined ? id.includes('/spire/agent/') : isBanned(agent) || agent.expiresAt <= now;
    };
    const known = new Map(use.delivery.list().map((holder) => [holder.id, holder]));
    const ids = [...new Set([...agents.keys(), ...known.keys()])].filter((id) => !isGone(id));
    return {
      sequenceNumber: use.bundles.own().sequence,
      holders: ids.toSorted().map((id) => wireHolder(id, known.get(id))),
    };
  },
});

const wireHolder = (id: string, holder: BundleHolder | undefined) => ({
  id: wireId(SpiffeId.parse(id)),
  sentSequenceNumber: holder?.sequence ?? 0n,
  reportedSequenceNumber: holder?.reported ?? 0n,
  authorityId: holder?.authorityId ?? '',
  lastSeenAt: wireTime(holder?.seenAt ?? 0),
  live: holder?.isLive ?? false,
});
