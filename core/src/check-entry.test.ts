import { SpiffeId, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { checkEntry } from './check-entry.ts';
import { draftEntry, type EntryDraft, similarityKey } from './entry.ts';
import { IssuerError } from './errors.ts';
import { checkJoinToken } from './join-token.ts';
import { requireAgent } from './member-id.ts';
import { parseSelector } from './selector.ts';
import { utf8Length } from './utf8-length.ts';

const td = TrustDomain.parse('example.org');
const id = (path: string, domain = 'example.org') => SpiffeId.parse(`spiffe://${domain}${path}`);
const draft = (parts: Partial<EntryDraft> = {}) =>
  draftEntry({
    spiffeId: id('/web'),
    parentId: id('/spire/agent/a'),
    selectors: [parseSelector('unix:uid:1')],
    ...parts,
  });

function complaint(parts: Partial<EntryDraft>): string {
  try {
    checkEntry(draft(parts), td);
  } catch (error) {
    if (error instanceof IssuerError && error.code === 'invalid-argument') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('checkEntry accepts', () => {
  it.each<[string, Partial<EntryDraft>]>([
    ['an ordinary entry', {}],
    ['a node alias', { parentId: id('/spire/server') }],
    ['an entry that is its own parent, as spire-controller-manager probes', { parentId: id('/web'), storeSvid: true }],
    ['an id of any allowed character', { id: 'aZ09_.-'.repeat(36) }],
    ['the own trust domain as federated', { federatesWith: ['example.org', 'other.org'] }],
    ['the longest hint', { hint: 'é'.repeat(512) }],
    ['DNS names', { dnsNames: ['web', 'web.example.org', '*.example.org', 'xn--mnchen-3ya.de', 'A-1.b'] }],
    ['the longest lifetimes', { x509SvidTtl: 2 ** 31 - 1, jwtSvidTtl: 1, expiresAt: 4_000_000_000 }],
    ['the same selector twice', { selectors: [parseSelector('a:1'), parseSelector('a:1')] }],
    ['a selector as long as two paths', { selectors: [{ type: 't'.repeat(255), value: 'v'.repeat(8192) }] }],
    ['a path that only begins like a reserved one', { spiffeId: id('/spirello') }],
  ])('%s', (_, parts) => {
    checkEntry(draft(parts), td);
  });
});

describe('checkEntry refuses', () => {
  const unix = (value: string) => ({ type: 'unix', value });
  it.each<[Partial<EntryDraft>, string]>([
    [
      { spiffeId: id('/web', 'other.org') },
      'invalid spiffe ID: "spiffe://other.org/web" is not a member of trust domain "example.org"',
    ],
    [
      { spiffeId: id('', 'example.org') },
      'invalid spiffe ID: "spiffe://example.org" is not a workload in trust domain "example.org"; path is empty',
    ],
    [
      { spiffeId: id('/spire') },
      'invalid spiffe ID: "spiffe://example.org/spire" is not a workload in trust domain "example.org"; path is in the reserved namespace',
    ],
    [
      { spiffeId: id('/spire/agent/x') },
      'invalid spiffe ID: "spiffe://example.org/spire/agent/x" is not a workload in trust domain "example.org"; path is in the reserved namespace',
    ],
    [
      { spiffeId: id('/spire/server') },
      'invalid spiffe ID: "spiffe://example.org/spire/server" is not a workload in trust domain "example.org"; path is in the reserved namespace',
    ],
    [
      { parentId: id('/a', 'other.org') },
      'invalid parent ID: "spiffe://other.org/a" is not a member of trust domain "example.org"',
    ],
    [
      { parentId: id('') },
      'invalid parent ID: "spiffe://example.org" is not a member of trust domain "example.org"; path is empty',
    ],
    [{ selectors: [] }, 'selector list is empty'],
    [{ selectors: [{ type: '', value: 'x' }] }, 'missing selector type'],
    [{ selectors: [{ type: 'a:b', value: 'x' }] }, "selector type contains ':'"],
    [{ selectors: [unix('x'), unix('')] }, 'missing selector value'],
    [{ selectors: [unix('x'.repeat(8193))] }, 'selector value is longer than 8192 bytes'],
    [{ selectors: [unix('é'.repeat(4097))] }, 'selector value is longer than 8192 bytes'],
    [{ selectors: [{ type: 'x'.repeat(256), value: 'x' }] }, 'selector type is longer than 255 bytes'],
    [{ selectors: Array.from({ length: 1001 }, (_, i) => unix(`${i}`)) }, 'more than 1000 selectors'],
    [{ id: '' }, 'missing entry ID'],
    [{ id: 'a'.repeat(256) }, 'datastore-validation: invalid registration entry: entry ID too long'],
    [{ id: 'a b' }, 'datastore-validation: invalid registration entry: entry ID contains invalid characters'],
    [{ id: 'a\n' }, 'datastore-validation: invalid registration entry: entry ID contains invalid characters'],
    [{ id: 'é' }, 'datastore-validation: invalid registration entry: entry ID contains invalid characters'],
    [{ hint: 'x'.repeat(1025) }, 'hint is too long, max length is 1024 characters'],
    [{ hint: '😀'.repeat(257) }, 'hint is too long, max length is 1024 characters'],
    [{ x509SvidTtl: -1 }, 'invalid X509-SVID TTL: must be a whole number of seconds from 0 to 2147483647'],
    [{ x509SvidTtl: 2 ** 31 }, 'invalid X509-SVID TTL: must be a whole number of seconds from 0 to 2147483647'],
    [{ jwtSvidTtl: 0.5 }, 'invalid JWT-SVID TTL: must be a whole number of seconds from 0 to 2147483647'],
    [{ jwtSvidTtl: Number.NaN }, 'invalid JWT-SVID TTL: must be a whole number of seconds from 0 to 2147483647'],
    [{ expiresAt: -1 }, 'invalid expiry: must be Unix seconds, or 0 for never'],
    [{ expiresAt: 2 ** 60 }, 'invalid expiry: must be Unix seconds, or 0 for never'],
    [{ dnsNames: ['ok', 'a b'] }, 'invalid DNS name: "a b": labels hold letters, digits and inner hyphens only'],
    [{ dnsNames: ['a\0b'] }, 'invalid DNS name: "a\\u0000b": labels hold letters, digits and inner hyphens only'],
    [{ dnsNames: Array.from({ length: 1001 }, () => 'a') }, 'more than 1000 DNS names'],
    [
      { storeSvid: true, selectors: [parseSelector('a:1'), parseSelector('b:1')] },
      'datastore-validation: invalid registration entry: selector types must be the same when store SVID is enabled',
    ],
    [
      { storeSvid: true, disableX509SvidPrefetch: true },
      'datastore-validation: specifying cache behaviour is incompatible with storable SVIDs',
    ],
  ])('%#', (parts, message) => {
    expect(complaint(parts)).toBe(message);
  });

  it('names of federated trust domains that are none', () => {
    for (const name of ['', 'Example.org', 'a b', 'spiffe://other.org', 'other.org/path', 'x'.repeat(256)]) {
      expect(complaint({ federatesWith: ['fine.org', name] })).toMatch(/^invalid federated trust domain: /);
    }
  });

  it('does not repeat megabytes', () => {
    expect(complaint({ dnsNames: ['x'.repeat(1_000_000)] }).length).toBeLessThan(200);
  });
});

describe('similarityKey', () => {
  it('looks at ids and the set of selectors only', () => {
    const a = draft({ selectors: [parseSelector('a:1'), parseSelector('b:2')], hint: 'x' });
    const b = draft({ selectors: [parseSelector('b:2'), parseSelector('a:1'), parseSelector('a:1')], hint: 'y' });
    expect(similarityKey(a)).toBe(similarityKey(b));
    expect(similarityKey(a)).not.toBe(similarityKey(draft({ selectors: [parseSelector('a:1')] })));
    expect(similarityKey(a)).not.toBe(similarityKey({ ...a, parentId: id('/other') }));
    expect(similarityKey(a)).not.toBe(similarityKey({ ...a, spiffeId: id('/other') }));
  });

  it('cannot be confused by what stands in a selector', () => {
    const one = draft({ selectors: [{ type: 'a', value: '1","b:2' }] });
    const two = draft({ selectors: [parseSelector('a:1'), parseSelector('b:2')] });
    expect(similarityKey(one)).not.toBe(similarityKey(two));
  });
});

describe('requireAgent', () => {
  it('wants something below the agents path', () => {
    requireAgent(id('/spire/agent/join_token/x'), td);
    for (const other of [id('/spire/agent'), id('/spire/agents/x'), id('/web'), id('/spire/server')]) {
      expect(() => requireAgent(other, td)).toThrow('path is not in the agent namespace');
    }
    expect(() => requireAgent(id('/spire/agent/x', 'other.org'), td)).toThrow('is not a member');
  });
});

describe('checkJoinToken', () => {
  it('accepts what can be a path segment', () => {
    checkJoinToken('0c3a2f0e-9c0b-4a7e-8f4e-1d2c3b4a5f60');
    checkJoinToken('a'.repeat(255));
  });

  it.each(['', '.', '..', 'a/b', 'a b', 'é', 'a\n', '%2e', 'a'.repeat(256)])(
    'refuses %j without repeating it',
    (token) => {
      expect(() => checkJoinToken(token)).toThrow(IssuerError);
      expect(() => checkJoinToken(token)).toThrow(/^join token (?:is|may)/);
    },
  );
});

describe('utf8Length', () => {
  it.each(['', 'a', 'é', '€', '😀', 'a\u0000é€😀', '\ud800', '\udc00\ud800'])(
    'counts %j as an encoder does',
    (text) => {
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
    },
  );
});
