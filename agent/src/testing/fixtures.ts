import { parseSelector } from '@steeple/core';
import type { TestTrustDomain } from '@steeple/test-kit';
import type { AgentEntry } from '../app/agent-entry.ts';
import type { StockedSvid } from '../app/svid-shelf.ts';

/** An entry of the domain; its id is also its path unless another is given. */
export function entryOf(
  domain: TestTrustDomain,
  id: string,
  {
    selectors = ['unix:uid:1'],
    path = `/${id}`,
    ...parts
  }: Partial<Omit<AgentEntry, 'selectors'>> & {
    readonly selectors?: readonly string[];
    readonly path?: string;
  } = {},
): AgentEntry {
  return {
    id,
    spiffeId: domain.id(path),
    selectors: selectors.map(parseSelector),
    federatesWith: [],
    admin: false,
    downstream: false,
    storeSvid: false,
    hint: '',
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
    revision: 0,
    createdAt: 1,
    ...parts,
  };
}

/** A fresh SVID of an entry, as the cache keeps it. */
export async function stocked(
  domain: TestTrustDomain,
  entry: AgentEntry,
  options: { readonly ttl?: number; readonly rotateAt?: number } = {},
): Promise<readonly [string, StockedSvid]> {
  const svid = await domain.x509Svid(entry.spiffeId.path, { ttl: options.ttl ?? 3600 });
  const { revision, createdAt } = entry;
  return [entry.id, { svid, revision, createdAt, rotateAt: options.rotateAt ?? svid.leaf.notAfter - 1800 }];
}

/** Promises that can go on have gone on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
