import type { Handlers } from '@steeple/proto/grpc';
import type { syncV1 } from '@steeple/proto/steeple-api';
import type { ChangeFeed } from '../app/change-feed.ts';
import { agentOf } from './caller.ts';
import { wireBundle } from './translate/bundle.ts';
import { wireEntry } from './translate/entry.ts';

/** steeple.sync.v1.Sync: what concerns an agent, as it happens. */
export const syncHandlers = (feed: ChangeFeed): Handlers<typeof syncV1.Sync> => ({
  async *watch(_request, ctx) {
    const watcher = feed.open(agentOf(ctx));
    try {
      // Only now: every change from here on is in the watcher already.
      yield { event: { case: 'ready' as const, value: {} } };
      for (let event = await watcher.next(ctx.signal); event; event = await watcher.next(ctx.signal)) {
        if (event.kind === 'resync') {
          yield { event: { case: 'resync' as const, value: {} } };
          continue;
        }
        const value = {
          entries: event.entries.map((entry) => wireEntry(entry)),
          removedEntryIds: event.removed,
          bundles: event.bundles.map((bundle) => wireBundle(bundle)),
        };
        yield { event: { case: 'changes' as const, value } };
      }
    } finally {
      watcher.close();
    }
  },
});
