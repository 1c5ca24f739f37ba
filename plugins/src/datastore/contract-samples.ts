import { generateKeyPairSync } from 'node:crypto';
import type { AgentRecord, RegistrationEntry } from '@steeple/core';
import { draftEntry, parseSelector } from '@steeple/core';
import { SpiffeId, type TokenAuthority, TrustBundle, TrustDomain, tokenAuthority } from '@steeple/spiffe';

/** Values for the contract suites. */
export const HOME = TrustDomain.parse('example.org');

export function anId(path: string): SpiffeId {
  return SpiffeId.of(HOME, path);
}

export function anEntry(id: string, parts: Partial<RegistrationEntry> = {}): RegistrationEntry {
  const draft = draftEntry({
    spiffeId: anId(`/workload/${id}`),
    parentId: anId('/spire/agent/join_token/t'),
    selectors: [parseSelector('unix:uid:1000')],
  });
  return { ...draft, id, revision: 0, createdAt: 1_700_000_000, ...parts };
}

export function anAgent(name: string, parts: Partial<AgentRecord> = {}): AgentRecord {
  return {
    id: anId(`/spire/agent/x509pop/${name}`),
    attestationType: 'x509pop',
    serial: '1',
    expiresAt: 2000,
    newSerial: '',
    newExpiresAt: 0,
    canReattest: true,
    agentVersion: '1.0',
    selectors: [],
    ...parts,
  };
}

export function aTokenAuthority(kid: string, details: { expiresAt?: number; tainted?: boolean } = {}): TokenAuthority {
  return tokenAuthority(kid, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, details);
}

export function aBundle(name: string, sequence = 1n): TrustBundle {
  return TrustBundle.of(TrustDomain.parse(name), { sequence, jwtAuthorities: [aTokenAuthority('k')] });
}

/** All items of a paged list, read page by page. */
export async function allPages<T>(
  list: (page: { size: number; token: string }) => Promise<{ items: readonly T[]; nextToken: string }>,
  size: number,
): Promise<T[]> {
  const items: T[] = [];
  for (let token = ''; ; ) {
    const page = await list({ size, token });
    items.push(...page.items);
    token = page.nextToken;
    if (token === '') return items;
  }
}
