import { TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { checkFederationRelationship, endpointUrlProblem } from './federation.ts';

describe('endpointUrlProblem', () => {
  it.each([
    'https://example.org',
    'https://example.org/',
    'HTTPS://example.org:8443/bundle?x=1',
    'https://127.0.0.1:8443',
    'https://[::1]/bundle',
    'https://localhost:1/%20',
  ])('accepts %s', (url) => {
    expect(endpointUrlProblem(url)).toBeUndefined();
  });

  it.each([
    ['', 'must use the https scheme'],
    ['example.org', 'must use the https scheme'],
    ['https:example.org', 'malformed'],
    ['http://example.org', 'must use the https scheme'],
    ['file:///etc/passwd', 'must use the https scheme'],
    ['https://', 'must specify the host'],
    ['https:///path', 'must specify the host'],
    ['https://:443', 'must specify the host'],
    ['https://user@example.org', 'must not contain user info'],
    ['https://user:pass@example.org', 'must not contain user info'],
    ['https://@example.org', 'must not contain user info'],
    ['https://example.org:0', 'has no valid port'],
    ['https://example.org:65536', 'has no valid port'],
    ['https://example.org:x', 'must specify the host'],
    ['https://exa mple.org', 'has no valid host'],
    ['https://example.org\\@evil.org', 'must not contain user info'],
    ['https://example.org/a b', 'malformed'],
    ['https://example.org/\n', 'malformed'],
    ['https://é.org', 'has no valid host'],
    ['https://*.example.org', 'has no valid host'],
    [`https://example.org/${'a'.repeat(2048)}`, 'longer than 2048'],
  ])('refuses %j', (url, message) => {
    expect(endpointUrlProblem(url)).toContain(message);
  });

  it('accepts only what the URL standard reads the same way', () => {
    for (const url of ['https://a.b:8443/c', 'https://[::1]/x', 'https://127.0.0.1:9/?q']) {
      expect(endpointUrlProblem(url)).toBeUndefined();
      expect(new URL(url).protocol).toBe('https:');
    }
  });
});

describe('checkFederationRelationship', () => {
  const own = TrustDomain.parse('example.org');
  const profile = { kind: 'https_web' } as const;

  it('refuses the own trust domain and a broken URL', () => {
    const good = { trustDomain: TrustDomain.parse('other.org'), bundleEndpointUrl: 'https://other.org', profile };
    checkFederationRelationship(good, own);
    expect(() => checkFederationRelationship({ ...good, trustDomain: own }, own)).toThrow('server trust domain');
    expect(() => checkFederationRelationship({ ...good, bundleEndpointUrl: 'x' }, own)).toThrow('https scheme');
  });
});
