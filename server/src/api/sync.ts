import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Handlers } from '@steeple/proto/grpc';
import type { syncV1 } from '@steeple/proto/steeple-api';
import type { TrustDomain } from '@steeple/spiffe';
import type { BundleDelivery } from '../app/bundle-delivery.ts';
import type { ChangeFeed } from '../app/change-feed.ts';
import type { WatchEvent } from '../app/watcher.ts';
import { agentOf } from './caller.ts';
import { wireBundle } from './translate/bundle.ts';
import { wireEntry } from './translate/entry.ts';

/** Entries in one message, so that it stays far below gRPC's limit. */
const ENTRIES_PER_MESSAGE = 100;

interface SyncUse {
  readonly trustDomain: TrustDomain;
  readonly feed: ChangeFeed;
  readonly delivery: Pick<BundleDelivery, 'sent' | 'listens'>;
}

/** steeple.sync.v1.Sync: what concerns an agent, as it happens. */
export const syncHandlers = ({ trustDomain, feed, delivery }: SyncUse): Handlers<typeof syncV1.Sync> => ({
  async *watch(_request, ctx) {
    const agent = agentOf(ctx).id.toString();
    const watcher = feed.open(agentOf(ctx));
    const stopListening = delivery.listens(agent);
    try {
      // Only now: every change from here on is in the watcher already.
      yield { event: { case: 'ready' as const, value: {} } };
      for (let event = await watcher.next(ctx.signal); event; event = await watcher.next(ctx.signal)) {
        if (event.kind === 'resync') {
          yield { event: { case: 'resync' as const, value: {} } };
          continue;
        }
        for (const value of messagesOf(event)) yield { event: { case: 'changes' as const, value } };
        const own = event.bundles.find((bundle) => bundle.trustDomain.equals(trustDomain));
        if (own) delivery.sent(agent, own.sequence);
      }
    } finally {
      stopListening();
      watcher.close();
    }
  },
});

type Changes = Extract<WatchEvent, { kind: 'changes' }>;

function* messagesOf({ entries, removed, bundles }: Changes): Generator<MessageInitShape<typeof syncV1.ChangesSchema>> {
  if (removed.length + bundles.length > 0) {
    yield { removedEntryIds: removed, bundles: bundles.map((bundle) => wireBundle(bundle)) };
  }
  for (let start = 0; start < entries.length; start += ENTRIES_PER_MESSAGE) {
    yield { entries: entries.slice(start, start + ENTRIES_PER_MESSAGE).map((entry) => wireEntry(entry)) };
  }
}
