import { describe, expect, it } from 'vitest';
import { agentFilter } from '../agent-flags.ts';
import { clearedFields } from '../cleared-fields.ts';
import { entryFields, entryFilter } from '../entry-flags.ts';

describe('filters', () => {
  it('of agents', () => {
    expect(agentFilter({ notBanned: true, cannotReattest: true, expiresBefore: '2030-01-31' })).toMatchObject({
      byBanned: false,
      byCanReattest: false,
      byExpiresBefore: '2030-01-31 00:00:00 +0000 +00',
    });
    expect(agentFilter({ expiresBefore: '2030-01-31T12:00:00+02:00' })).toMatchObject({
      byExpiresBefore: '2030-01-31 10:00:00 +0000 +00',
    });
    expect(() => agentFilter({ expiresBefore: 'soon' })).toThrow('--expires-before');
  });

  it('of entries by the trust domains they federate with', () => {
    expect(entryFilter({ federatesWith: ['a.test'], matchFederatesWithOn: 'any' })).toMatchObject({
      byFederatesWith: { trustDomains: ['a.test'], match: 3 },
    });
    expect(entryFilter({ federatesWith: ['a.test'] })).toMatchObject({ byFederatesWith: { match: 2 } });
  });
});

describe('fields of an entry', () => {
  it('hold only what was given', () => {
    expect(entryFields({ jwtSvidIncludeJti: true })).toEqual({ additionalAttributes: { jwtSvidIncludeJti: true } });
    expect(entryFields({})).toEqual({});
  });

  it('are emptied by name', () => {
    const clear = ['admin', 'dns', 'jwt-svid-include-jti', 'disable-x509-svid-prefetch'];
    expect(clearedFields({ clear })).toEqual({
      admin: false,
      dnsNames: [],
      additionalAttributes: { jwtSvidIncludeJti: false, disableX509SvidPrefetch: false },
    });
    expect(() => clearedFields({ clear: ['selector'] })).toThrow("'selector' cannot be cleared");
  });
});
