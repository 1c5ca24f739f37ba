import type { Metrics } from '@steeple/daemon/metrics';
import type { IdentityCache } from '../app/identity-cache.ts';
import type { JwtCache } from '../app/jwt-cache.ts';

/** Returns a function that reports how much the caches hold and how the entries changed since it was last called. */
export function stateReporter(
  metrics: Metrics,
  cache: Pick<IdentityCache, 'entries' | 'entryChanges' | 'svidCount' | 'bundleList'>,
  jwts: Pick<JwtCache, 'size'>,
): () => void {
  const reported = { added: 0, updated: 0, removed: 0 };
  const names = { added: 'lru_cache_entry_add', updated: 'lru_cache_entry_update', removed: 'lru_cache_entry_remove' };
  return () => {
    for (const change of ['added', 'updated', 'removed'] as const) {
      const now = cache.entryChanges[change];
      if (now > reported[change]) metrics.counter(names[change], undefined, now - reported[change]);
      reported[change] = now;
    }
    metrics.gauge('lru_cache_record_map_size', cache.entries.size, { svid_type: 'X509' });
    metrics.gauge('lru_cache_svid_map_size', cache.svidCount, { svid_type: 'X509' });
    metrics.gauge('jwt_svid_cache_size', jwts.size);
    metrics.gauge('sync_entries_total', cache.entries.size);
    metrics.gauge('sync_bundles_total', cache.bundleList().length);
  };
}

/** Returns a function that is told the entries for which SVIDs are requested, and counts why. */
export function renewalReporter(
  metrics: Metrics,
  cache: Pick<IdentityCache, 'entries' | 'reasonToRenew'>,
): (entryIds: readonly string[]) => void {
  return (entryIds) => {
    for (const reason of ['expiring', 'outdated'] as const) {
      const found = entryIds.filter((id) => cache.reasonToRenew(id) === reason);
      const stored = found.filter((id) => cache.entries.get(id)?.storeSvid === true).length;
      const key = `cache_manager.${reason}_svids`;
      if (found.length > stored) metrics.sample(key, found.length - stored);
      if (stored > 0) metrics.sample(`${key}.svid_store`, stored);
    }
  };
}
