import { isAgentPath } from '@steeple/core';
import type { CallContext } from '@steeple/proto/grpc';
import type { TrustBundle } from '@steeple/spiffe';
import type { BundleDelivery } from '../app/bundle-delivery.ts';
import type { Entries } from '../app/entries.ts';
import { callerOf } from './caller.ts';

export interface HolderUse {
  readonly delivery: Pick<BundleDelivery, 'sent'>;
  readonly entries: Pick<Entries, 'count'>;
}

/** Notes that the caller gets the own bundle, if it is an agent or a server below: others nobody waits for. */
export const noteBundle = async (use: HolderUse, ctx: CallContext, bundle: TrustBundle): Promise<void> => {
  const { id, certificate } = callerOf(ctx);
  if (!id?.memberOf(bundle.trustDomain)) return;
  const isServer = !isAgentPath(id.path);
  if (isServer && (await use.entries.count({ spiffeId: id, downstream: true })) === 0) return;
  const authorityId = certificate?.authorityKeyId;
  use.delivery.sent(id.toString(), bundle.sequence, { isServer, ...(authorityId !== undefined && { authorityId }) });
};
