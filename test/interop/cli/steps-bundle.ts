import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Step, server } from './step.ts';

const profile = '-bundleEndpointURL https://127.0.0.1:1/bundle -bundleEndpointProfile';

/** Bundles of the own and of other trust domains, and the relationships with those. */
export const bundleSteps: readonly Step[] = [
  async ({ dir, server: { nodes } }) => {
    // Any root will do for another trust domain, but the own one.
    await writeFile(join(dir, 'other.pem'), await readFile(nodes.path));
    await writeFile(join(dir, 'other.json'), '{"keys": [], "spiffe_sequence": 3, "spiffe_refresh_hint": 60}');
    const relationships = {
      federationRelationships: [
        { trustDomain: 'five.test', bundleEndpointURL: 'https://127.0.0.1:1/', bundleEndpointProfile: 'https_web' },
        {
          trustDomain: 'six.test',
          bundleEndpointURL: 'https://127.0.0.1:1/',
          bundleEndpointProfile: 'https_spiffe',
          endpointSPIFFEID: 'spiffe://six.test/spire/server',
          trustDomainBundle: { keys: [] },
          trustDomainBundleFormat: 'spiffe',
        },
      ],
    };
    await writeFile(join(dir, 'relationships.json'), JSON.stringify(relationships));
  },
  server('bundle count'),
  server('bundle count -output json'),
  server('bundle show'),
  server('bundle show -format pem'),
  server('bundle show -format spiffe'),
  server('bundle show -format other'),
  server('bundle show -output json -format spiffe'),
  server('bundle list'),
  server('bundle list -output json'),
  server('bundle set -id spiffe://other.test -path {dir}/other.pem -format pem'),
  server('bundle set -id other.test -format spiffe -output json', { stdin: '{"keys": [], "spiffe_sequence": 4}' }),
  server('bundle set -id spiffe://second.test -path {dir}/other.json -format spiffe'),
  server('bundle set -id spiffe://third.test -path {dir}/other.pem'),
  server('bundle set -id third.test -path {dir}/missing.pem'),
  server('bundle set -id third.test -path {dir}/other.pem -format other'),
  server('bundle set -id third.test', { stdin: 'nonsense' }),
  server('bundle set -id third.test -format spiffe', { stdin: 'nonsense', compare: 'outcome' }),
  server('bundle set -path {dir}/other.pem'),
  server('bundle set -id domain.test -path {dir}/other.pem'),
  server("bundle set -id 'no domain' -path {dir}/other.pem", { compare: 'outcome' }),
  server('bundle list'),
  server('bundle list -format spiffe'),
  server('bundle list -id third.test'),
  server('bundle list -id spiffe://second.test -format spiffe'),
  server('bundle list -id other.test -output json'),
  server('bundle list -id none.test'),
  server('bundle list -id domain.test'),
  server('bundle list -format other'),
  server('bundle count'),
  server('bundle delete'),
  server('bundle delete -id spiffe://second.test'),
  server('bundle delete -id spiffe://second.test'),
  server('bundle delete -id third.test -mode dissociate -output json'),
  server('bundle delete -id third.test -mode delete'),
  server('bundle delete -id third.test -mode restrict'),
  server('bundle delete -id third.test -mode other'),
  server('bundle delete -id domain.test'),
  server('federation list'),
  server('federation list -output json'),
  server(`federation create -trustDomain web.test ${profile} https_web`),
  server(`federation create -trustDomain web.test ${profile} https_web`, { compare: 'outcome' }),
  server(
    `federation create -trustDomain spiffe.test ${profile} https_spiffe -endpointSpiffeID spiffe://spiffe.test/spire/server -trustDomainBundlePath {dir}/other.pem -trustDomainBundleFormat pem -output json`,
  ),
  server(`federation create -trustDomain spiffe.test ${profile} https_spiffe`),
  server(`federation create -trustDomain spiffe.test ${profile} https_spiffe -endpointSpiffeID nonsense`),
  server(`federation create -trustDomain spiffe.test ${profile} other`),
  server(`federation create ${profile} https_web`),
  server('federation create -trustDomain web.test -bundleEndpointProfile https_web'),
  server('federation create -trustDomain four.test -bundleEndpointURL http://a.test -bundleEndpointProfile https_web'),
  server(`federation create -trustDomain domain.test ${profile} https_web`),
  server(`federation create -trustDomain four.test ${profile} https_web -trustDomainBundlePath {dir}/missing.pem`),
  server(`federation create -trustDomain four.test ${profile} https_web -trustDomainBundlePath {dir}/other.json`),
  server('federation create -data {dir}/relationships.json'),
  server('federation create -data {dir}/relationships.json -trustDomain web.test'),
  server('federation create -data -', { stdin: '{"federationRelationships": [{"trustDomain": "a.test"}]}' }),
  server('federation create -data -', { stdin: '[', compare: 'outcome' }),
  server('federation list'),
  server('federation show -trustDomain web.test'),
  server('federation show -trustDomain spiffe.test -output json'),
  server('federation show -trustDomain none.test'),
  server('federation show'),
  server(
    `federation update -trustDomain web.test ${profile} https_spiffe -endpointSpiffeID spiffe://web.test/spire/server -trustDomainBundlePath {dir}/other.pem -trustDomainBundleFormat pem`,
  ),
  server(`federation update -trustDomain none.test ${profile} https_web`, { better: 'NotFound instead of Internal' }),
  server('federation update -data {dir}/relationships.json -output json'),
  server('federation update'),
  server('federation refresh'),
  server('federation refresh -id none.test'),
  server('federation refresh -id none.test -output json'),
  server('federation refresh -id five.test', { compare: 'outcome' }),
  server('federation delete -id web.test'),
  server('federation delete -id web.test'),
  server('federation delete -id spiffe.test -output json'),
  server('federation delete'),
];
