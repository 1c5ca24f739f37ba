import { type BackoffShape, backoff } from '@steeple/proto/grpc';
import type { Clock } from '../clock.ts';
import type { KubernetesClient } from './client.ts';
import { hasStatus } from './kubernetes-error.ts';
import type { KubernetesObject, ResourceType, Scope } from './resource.ts';

/** `listed` comes first, and again whenever changes may have been missed: it replaces everything known. */
export type Followed =
  | { readonly kind: 'listed'; readonly objects: readonly KubernetesObject[] }
  | { readonly kind: 'put' | 'removed'; readonly object: KubernetesObject };

export interface FollowOptions extends Scope {
  readonly clock: Clock;
  readonly random01: () => number;
  /** Told of each failure in a row, counted from 1; what is known stays. */
  readonly onTrouble: (error: unknown, attempt: number) => void;
}

const PAUSES: BackoffShape = { initial: 0.5, max: 30, multiplier: 2, jitter: 0.3 };
/** Seconds that one watch lasts; the spread keeps many from coming at once. */
const SHORTEST_WATCH = 240;
const WATCH_SPREAD = 120;

/** All objects of a kind, and their changes, until `signal` aborts; it never throws because of the API. */
export async function* follow(
  client: KubernetesClient,
  type: ResourceType,
  { clock, random01, onTrouble, ...scope }: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Followed> {
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const began = clock.monotonic();
    try {
      if (version === undefined) {
        const { items, resourceVersion } = await client.list(type, scope, signal);
        version = resourceVersion;
        yield { kind: 'listed', objects: items };
      }
      const seconds = Math.round(SHORTEST_WATCH + WATCH_SPREAD * random01());
      for await (const event of client.watch(type, { ...scope, resourceVersion: version, seconds }, signal)) {
        version = event.resourceVersion;
        failures = 0;
        if (event.kind !== 'bookmark') yield { kind: event.kind, object: event.object };
      }
      // The API ended it, as it may. One that ends at once, again and again, is no way to live.
      if (clock.monotonic() - began >= 1) {
        failures = 0;
        continue;
      }
      failures += 1;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      // Forgotten: everything has to be listed again, without waiting the first time.
      if (hasStatus(error, 410)) {
        version = undefined;
        if (failures === 1) continue;
      }
      onTrouble(error, failures);
    }
    await clock.sleep(backoff(failures, random01(), PAUSES), signal).catch(() => undefined);
  }
}
