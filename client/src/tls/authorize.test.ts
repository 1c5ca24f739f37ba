import { matchExactly, SpiffeId, TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import {
  type Authorizer,
  authorizeAny,
  authorizeId,
  authorizeMatching,
  authorizeMemberOf,
  authorizeOneOf,
} from './authorize.ts';

const api = SpiffeId.parse('spiffe://a.test/api');
const db = SpiffeId.parse('spiffe://a.test/db');
const foreign = SpiffeId.parse('spiffe://b.test/api');

function verdict(authorizer: Authorizer, id: SpiffeId): string {
  try {
    authorizer(id, []);
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('authorizers', () => {
  it.each<[string, Authorizer, SpiffeId, string]>([
    ['any', authorizeAny(), foreign, 'accepted'],
    ['id', authorizeId(api), SpiffeId.parse('spiffe://a.test/api'), 'accepted'],
    ['id', authorizeId(api), db, 'peer presented spiffe://a.test/db, expected spiffe://a.test/api'],
    ['id', authorizeId(api), foreign, 'peer presented spiffe://b.test/api, expected spiffe://a.test/api'],
    ['one of', authorizeOneOf([api, db]), db, 'accepted'],
    [
      'one of',
      authorizeOneOf([api, db]),
      foreign,
      'peer presented spiffe://b.test/api, expected one of spiffe://a.test/api, spiffe://a.test/db',
    ],
    ['one of none', authorizeOneOf([]), api, 'peer presented spiffe://a.test/api, expected nobody'],
    ['member', authorizeMemberOf(TrustDomain.parse('a.test')), db, 'accepted'],
    [
      'member',
      authorizeMemberOf(TrustDomain.parse('a.test')),
      foreign,
      'peer presented spiffe://b.test/api, expected a member of spiffe://a.test',
    ],
    ['matching', authorizeMatching(matchExactly(api), 'the API'), api, 'accepted'],
    [
      'matching',
      authorizeMatching(() => false, 'the moon'),
      api,
      'peer presented spiffe://a.test/api, expected the moon',
    ],
  ])('%s', (_name, authorizer, id, expected) => {
    expect(verdict(authorizer, id)).toBe(expected);
  });

  it('take nothing but true for a yes', () => {
    const forgetful = authorizeMatching((() => undefined) as never, 'an answer');
    const promising = authorizeMatching((async () => true) as never, 'an answer');
    expect(verdict(forgetful, api)).toContain('expected an answer');
    expect(verdict(promising, api)).toContain('expected an answer');
  });

  it('refuse with a code', () => {
    expect(() => authorizeId(api)(db, [])).toThrow(expect.objectContaining({ code: 'unauthorized-peer' }));
  });
});
