import { SpiffeId } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import type { AgentRecord } from './agent-record.ts';
import { draftEntry, type RegistrationEntry } from './entry.ts';
import { type AgentFilter, type EntryFilter, matchesAgent, matchesEntry } from './entry-filter.ts';
import { parseSelector } from './selector.ts';

const id = (path: string) => SpiffeId.parse(`spiffe://example.org${path}`);
const entry: RegistrationEntry = {
  ...draftEntry({
    spiffeId: id('/web'),
    parentId: id('/node'),
    selectors: [parseSelector('a:1'), parseSelector('b:2')],
    federatesWith: ['one.org', 'two.org'],
    hint: 'external',
  }),
  id: '1',
  revision: 0,
  createdAt: 0,
};

describe('matchesEntry', () => {
  it.each<[EntryFilter, boolean]>([
    [{}, true],
    [{ spiffeId: id('/web') }, true],
    [{ spiffeId: id('/other') }, false],
    [{ parentId: id('/node') }, true],
    [{ parentId: id('/web') }, false],
    [{ selectors: { selectors: [parseSelector('a:1')], match: 'any' } }, true],
    [{ selectors: { selectors: [parseSelector('a:1')], match: 'exact' } }, false],
    [{ federatesWith: { trustDomains: ['two.org', 'one.org'], match: 'exact' } }, true],
    [{ federatesWith: { trustDomains: ['one.org'], match: 'superset' } }, true],
    [{ federatesWith: { trustDomains: ['one.org', 'two.org', 'three.org'], match: 'subset' } }, true],
    [{ federatesWith: { trustDomains: ['one.org', 'three.org'], match: 'subset' } }, false],
    [{ federatesWith: { trustDomains: ['three.org'], match: 'any' } }, false],
    [{ hint: 'external' }, true],
    [{ hint: '' }, false],
    [{ downstream: true }, false],
    [{ downstream: false }, true],
    [{ admin: false }, true],
    [{ admin: true }, false],
    [{ spiffeId: id('/web'), hint: 'other' }, false],
    [{ spiffeId: undefined, hint: undefined }, true],
  ])('%#', (filter, matches) => {
    expect(matchesEntry(entry, filter)).toBe(matches);
  });

  it('matches no entry without federation to a subset', () => {
    const alone = { ...entry, federatesWith: [] };
    expect(matchesEntry(alone, { federatesWith: { trustDomains: ['one.org'], match: 'subset' } })).toBe(false);
  });
});

describe('matchesAgent', () => {
  const agent: AgentRecord = {
    id: id('/spire/agent/x'),
    attestationType: 'join_token',
    serial: '1',
    expiresAt: 1000,
    newSerial: '',
    newExpiresAt: 0,
    canReattest: false,
    agentVersion: '',
    selectors: [parseSelector('a:1')],
  };

  it.each<[AgentFilter, boolean]>([
    [{}, true],
    [{ attestationType: 'x509pop' }, false],
    [{ banned: false }, true],
    [{ banned: true }, false],
    [{ canReattest: false }, true],
    [{ canReattest: true }, false],
    [{ expiresBefore: 1000 }, false],
    [{ expiresBefore: 1000.5 }, true],
    [{ selectors: { selectors: [parseSelector('a:1'), parseSelector('b:1')], match: 'subset' } }, true],
  ])('%j: %s', (filter, matches) => {
    expect(matchesAgent(agent, filter)).toBe(matches);
  });
});
