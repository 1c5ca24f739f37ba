import { describe, expect, it } from 'vitest';
import { readRegistrationObject } from './read-object.ts';

const duration = (text: string): number => {
  if (text === '1.5s') return 1.5;
  if (!/^[0-9]+s$/.test(text)) throw new RangeError('not a duration');
  return Number.parseInt(text, 10);
};
const read = (kind: string, spec: unknown, more: object = {}) =>
  readRegistrationObject(
    { apiVersion: 'spire.spiffe.io/v1alpha1', kind, metadata: { name: 'one' }, spec, ...more },
    { duration },
  );
const entry = { spiffeID: 'spiffe://example.org/a', parentID: 'spiffe://example.org/p', selectors: ['unix:uid:1'] };
const domain = {
  trustDomain: 'other.test',
  bundleEndpointURL: 'https://other.test/bundle',
  bundleEndpointProfile: { type: 'https_web' },
};

describe('registration objects', () => {
  it('reads an entry', () => {
    const spec = { ...entry, x509SVIDTTL: '60s', federatesWith: ['spiffe://other.test'], hint: null, className: 'c' };
    expect(read('ClusterStaticEntry', spec, { status: { set: true } })).toMatchObject({
      kind: 'ClusterStaticEntry',
      name: 'one',
      className: 'c',
      draft: { x509SvidTtl: 60, jwtSvidTtl: 0, federatesWith: ['other.test'], hint: '', admin: false },
    });
  });

  it.each([
    [{ ...entry, spiffeID: undefined }, 'spec.spiffeID is missing'],
    [{ ...entry, spiffeID: 'http://x' }, 'spec.spiffeID '],
    [{ ...entry, parentID: 7 }, 'spec.parentID must be a text'],
    [{ ...entry, selectors: [] }, 'spec.selectors must name at least one'],
    [{ ...entry, selectors: ['unix:uid:1', 'unix'] }, 'spec.selectors[1] selector must have the form type:value'],
    [{ ...entry, x509SVIDTTL: '1.5s' }, 'spec.x509SVIDTTL must be a whole number of seconds'],
    [{ ...entry, jwtSVIDTTL: 'soon' }, 'spec.jwtSVIDTTL not a duration'],
    [{ ...entry, federatesWith: ['A B'] }, 'spec.federatesWith[0]'],
    [{ ...entry, admin: 'yes' }, 'spec.admin must be true or false'],
    [{ ...entry, dnsnames: [] }, 'spec.dnsnames is not known; did you mean dnsNames?'],
    ['text', 'spec must be an object'],
    [undefined, 'spec is missing'],
  ])('refuses the entry %j', (spec, message) => {
    expect(() => read('ClusterStaticEntry', spec)).toThrow(message);
    expect(() => read('ClusterStaticEntry', spec)).toThrow('ClusterStaticEntry "one": ');
  });

  it.each([
    [{ ...domain, trustDomain: 'Other' }, 'spec.trustDomain'],
    [{ ...domain, bundleEndpointURL: 'http://other.test' }, 'spec.bundleEndpointURL bundle endpoint URL must use'],
    [{ ...domain, bundleEndpointProfile: { type: 'web' } }, 'spec.bundleEndpointProfile.type must be'],
    [{ ...domain, bundleEndpointProfile: { type: 'https_spiffe' } }, 'spec.bundleEndpointProfile.endpointSPIFFEID is'],
    [
      { ...domain, bundleEndpointProfile: { type: 'https_web', endpointSPIFFEID: 'spiffe://x/y' } },
      'spec.bundleEndpointProfile.endpointSPIFFEID does not belong',
    ],
    [{ ...domain, trustDomainBundle: '{' }, 'spec.trustDomainBundle'],
  ])('refuses the trust domain %j', (spec, message) => {
    expect(() => read('ClusterFederatedTrustDomain', spec)).toThrow(message);
  });

  it('selects pods and namespaces by their labels', () => {
    const object = read('ClusterSPIFFEID', {
      spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/x',
      podSelector: {
        matchLabels: { app: 'web' },
        matchExpressions: [
          { key: 'tier', operator: 'In', values: ['a', 'b'] },
          { key: 'old', operator: 'DoesNotExist' },
          { key: 'stage', operator: 'NotIn', values: ['dev'] },
        ],
      },
    });
    if (object.kind !== 'ClusterSPIFFEID') throw new Error('another kind');
    const { selectsPod, selectsNamespace } = object;
    expect(selectsPod({ app: 'web', tier: 'b' })).toBe(true);
    expect(selectsPod({ app: 'web', tier: 'b', stage: 'dev' })).toBe(false);
    expect(selectsPod({ app: 'web', tier: 'b', old: '' })).toBe(false);
    expect(selectsPod({ app: 'web' })).toBe(false);
    expect(selectsNamespace({})).toBe(true);
  });

  it.each([
    [{}, 'spec.spiffeIDTemplate is missing'],
    [{ spiffeIDTemplate: '{{ x }}' }, 'spec.spiffeIDTemplate template spiffeIDTemplate at 1:4'],
    [{ spiffeIDTemplate: 'x', dnsNameTemplates: ['a', '{{'] }, 'spec.dnsNameTemplates[1] template'],
    [
      { spiffeIDTemplate: 'x', podSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } },
      'spec.podSelector.matchExpressions[0].operator must be one of',
    ],
    [
      { spiffeIDTemplate: 'x', podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      'spec.podSelector.matchExpressions[0].values must not be empty',
    ],
    [
      { spiffeIDTemplate: 'x', podSelector: { matchLabels: { a: 1 } } },
      'spec.podSelector.matchLabels.a must be a text',
    ],
  ])('refuses the ClusterSPIFFEID %j', (spec, message) => {
    expect(() => read('ClusterSPIFFEID', spec)).toThrow(message);
  });

  it('refuses what is no such object', () => {
    expect(() => read('Pod', {})).toThrow('kind must be one of ClusterSPIFFEID');
    expect(() => read('ClusterStaticEntry', entry, { apiVersion: 'v1' })).toThrow('apiVersion must be spire.spiffe.io');
    expect(() => read('ClusterStaticEntry', entry, { metadata: {} })).toThrow('metadata.name is missing');
    expect(() => readRegistrationObject([], { duration })).toThrow('must be an object');
  });
});
