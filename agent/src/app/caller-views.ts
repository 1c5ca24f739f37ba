import { formatSelector } from '@steeple/core';
import type { IdentityCache, SubscribeOptions } from './identity-cache.ts';
import type { Attested, Missing } from './workload-attestation.ts';
import { sameView, type WorkloadView } from './workload-view.ts';

/** Whoever was attested, until the signal aborts. */
export interface Subject extends Pick<Attested, 'selectors' | 'rest'> {
  readonly signal: AbortSignal;
}

type Views = AsyncGenerator<WorkloadView, void, undefined>;

/** One for all: the default reason of a signal is an error with a stack. */
const COMPLETE = new DOMException('all attestors have answered', 'AbortError');

/**
 * What somebody is entitled to, now and at each change, by all facts: those that came later count from then on. A view in
 * which they could be missing waits for them, so that nobody is shown a part of its identities first.
 */
export function viewsOf(cache: IdentityCache, { selectors, signal, rest }: Subject, options?: SubscribeOptions): Views {
  if (rest === undefined) return cache.subscribe(selectors, signal, options);
  return followed(cache, { selectors, signal }, rest, options);
}

async function* followed(
  cache: IdentityCache,
  { selectors, signal }: Subject,
  { types, attested }: Missing,
  options?: SubscribeOptions,
): Views {
  const complete = new AbortController();
  void attested.then(() => complete.abort(COMPLETE));
  const known = new Set(selectors.map(formatSelector));
  let last: WorkloadView | undefined;
  for await (const view of cache.subscribe(selectors, AbortSignal.any([signal, complete.signal]), options)) {
    if (cache.couldMatter(known, types)) continue;
    last = view;
    yield view;
  }
  if (signal.aborted) return;
  for await (const view of cache.subscribe((await attested).selectors, signal, options)) {
    if (last === undefined || !sameView(last, view)) yield view;
    last = undefined;
  }
}
