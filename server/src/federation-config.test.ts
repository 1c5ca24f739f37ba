import { ConfigError } from '@steeple/daemon';
import { parseConfig } from '@steeple/daemon/config';
import { describe, expect, it } from 'vitest';
import { parseServerConfig } from './config.ts';
import type { FederationConfig } from './federation-config.ts';

const parse = (federation: string): FederationConfig =>
  parseServerConfig(parseConfig(`server {\n trust_domain = "a.test"\n federation {\n${federation}\n} }`, 'hcl'), {})
    .federation;

const problems = (federation: string): string => {
  try {
    parse(federation);
    return 'none';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
};

describe('federation as SPIRE has it in its files', () => {
  it('reads an endpoint and relationships in both profiles', () => {
    const { bundleEndpoint, relationships } = parse(`
      bundle_endpoint {
        address = "127.0.0.1"
        port = 8443
        refresh_hint = "10m"
        profile "https_web" { serving_cert_file { cert_file_path = "/c.pem" key_file_path = "/k.pem" } }
      }
      federates_with "b.test" {
        bundle_endpoint_url = "https://b.test:8443/"
        bundle_endpoint_profile "https_spiffe" { endpoint_spiffe_id = "spiffe://b.test/spire/server" }
      }
      federates_with "spiffe://c.test" {
        bundle_endpoint_url = "https://c.test/"
        bundle_endpoint_profile "https_web" {}
      }`);
    expect(bundleEndpoint).toEqual({
      address: '127.0.0.1',
      port: 8443,
      refreshHint: 600,
      identity: { kind: 'files', certFile: '/c.pem', keyFile: '/k.pem', interval: 3600 },
    });
    expect(relationships.map(({ trustDomain, profile }) => [trustDomain.name, profile.kind])).toEqual([
      ['b.test', 'https_spiffe'],
      ['c.test', 'https_web'],
    ]);
  });

  it('has the defaults of SPIRE', () => {
    expect(parse('bundle_endpoint { port = 8443 }').bundleEndpoint).toEqual({
      address: '0.0.0.0',
      port: 8443,
      refreshHint: 300,
      identity: { kind: 'svid' },
    });
    const acme = 'profile "https_web" { acme { domain_name = "b.test" email = "a@b.test" tos_accepted = true } }';
    expect(parse(`bundle_endpoint { port = 443 ${acme} }`).bundleEndpoint?.identity).toEqual({
      kind: 'acme',
      directoryUrl: 'https://acme-v02.api.letsencrypt.org/directory',
      domainName: 'b.test',
      email: 'a@b.test',
      tosAccepted: true,
    });
    expect(parse('')).toEqual({ bundleEndpoint: undefined, relationships: [] });
  });

  const url = 'bundle_endpoint_url = "https://b.test/"';
  const web = 'bundle_endpoint_profile "https_web" {}';
  it.each([
    [`federates_with "b.test" { bundle_endpoint_url = "http://b.test/" ${web} }`, 'must use the https scheme'],
    [`federates_with "b.test" { ${web} }`, 'bundle_endpoint_url'],
    [`federates_with "b.test" { ${url} }`, 'bundle_endpoint_profile'],
    [`federates_with "b.test" { ${url} bundle_endpoint_profile "https_other" {} }`, 'https_other'],
    [`federates_with "b.test" { ${url} ${web} bundle_endpoint_profile "https_spiffe" {} }`, 'bundle_endpoint_profile'],
    [`federates_with "b.test" { ${url} bundle_endpoint_profile "https_spiffe" {} }`, 'endpoint_spiffe_id'],
    [`federates_with "a.test" { ${url} ${web} }`, 'own trust domain'],
    [`federates_with "No Name" { ${url} ${web} }`, 'not the name of a trust domain'],
    [`federates_with "b.test" { ${url} ${web} } federates_with "spiffe://b.test" { ${url} ${web} }`, 'twice'],
    [`federates_with "b.test" { ${url} ${web} trust_domain_bundle_pin = "abc" }`, '64 hexadecimal digits'],
    [
      `federates_with "b.test" { ${url} ${web} trust_domain_bundle_path = "x" trust_domain_bundle_url = "https://x/" }`,
      'cannot be used together',
    ],
    ['bundle_endpoint { address = "127.0.0.1" }', 'port'],
    ['bundle_endpoint { port = 1 refresh_hint = "5s" }', 'at least one minute'],
    ['bundle_endpoint { port = 1 acme { domain_name = "x" } }', 'move it there'],
    ['bundle_endpoint { port = 1 profile "https_web" {} }', 'exactly one of serving_cert_file and acme'],
    [
      'bundle_endpoint { port = 1 profile "https_web" { serving_cert_file { cert_file_path = "x" } } }',
      'key_file_path',
    ],
    ['bundle_endpoint { port = 1 profiel "https_spiffe" {} }', 'profile'],
  ])('names what is wrong with %s', (federation, message) => {
    expect(problems(federation)).toContain(message);
  });
});
