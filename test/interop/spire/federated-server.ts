// Servers that publish their bundles and follow one another's.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toPem } from '@steeple/client';
import type { types } from '@steeple/proto/server-api';
import { TestTrustDomain } from '@steeple/test-kit';
import { freePort } from '../../../cli/src/dev/free-port.ts';
import { ensure } from '../case.ts';
import type { Maker } from './maker.ts';
import type { ServerUnit } from './server-unit.ts';
import type { Site } from './site.ts';
import type { Block } from './write-hcl.ts';

export type Profile = 'https_spiffe' | 'https_web';

/** A server and the port of its bundle endpoint. */
export interface FederatedServer {
  readonly server: ServerUnit;
  readonly profile: Profile;
  readonly url: string;
}

/** The authority of the Web that all servers of a case trust, and nothing else. */
export class WebAuthority {
  readonly #domain: TestTrustDomain;
  readonly #dir: string;

  private constructor(domain: TestTrustDomain, dir: string) {
    this.#domain = domain;
    this.#dir = dir;
  }

  static async create(dir: string): Promise<WebAuthority> {
    const web = new WebAuthority(await TestTrustDomain.create('web.test'), dir);
    await writeFile(join(dir, 'web-ca.pem'), toPem('CERTIFICATE', web.#domain.issuer.certificate.raw));
    return web;
  }

  /** Makes a process trust this authority only. */
  get env(): NodeJS.ProcessEnv {
    return { SSL_CERT_FILE: join(this.#dir, 'web-ca.pem'), SSL_CERT_DIR: join(this.#dir, 'none') };
  }

  get certPath(): string {
    return join(this.#dir, 'site.crt');
  }

  get keyPath(): string {
    return join(this.#dir, 'site.key');
  }

  /** Puts a new certificate for these names into the two files. */
  async renew(...dnsNames: string[]): Promise<void> {
    const svid = await this.#domain.x509Svid('/site', { dnsNames });
    await writeFile(this.keyPath, svid.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(this.certPath, svid.chain.map(({ raw }) => toPem('CERTIFICATE', raw)).join(''));
  }
}

export async function federatedServer(
  site: Site,
  maker: Maker,
  trustDomain: string,
  { profile, web, follows = [] }: { profile: Profile; web: WebAuthority; follows?: readonly FederatedServer[] },
): Promise<FederatedServer> {
  const port = await freePort();
  const files = { cert_file_path: web.certPath, key_file_path: web.keyPath, file_sync_interval: '1s' };
  const configured = follows.map((other): [string, Block] => [
    `federates_with "${other.server.trustDomain.name}"`,
    {
      bundle_endpoint_url: other.url,
      [`bundle_endpoint_profile "${other.profile}"`]:
        other.profile === 'https_web' ? {} : { endpoint_spiffe_id: other.server.id('/spire/server') },
    },
  ]);
  const endpoint = {
    address: '127.0.0.1',
    port,
    [`profile "${profile}"`]: profile === 'https_web' ? { serving_cert_file: files } : {},
  };
  const server = await site.server(maker, {
    trustDomain,
    env: web.env,
    settings: { federation: { bundle_endpoint: endpoint, ...Object.fromEntries(configured) } },
  });
  return { server, profile, url: `https://localhost:${port}/` };
}

/** `one` follows `other` from now on, knowing its bundle if the profile needs it. */
export async function follow({ server }: FederatedServer, other: FederatedServer): Promise<void> {
  const { results } = await server.api.trustDomain.batchCreateFederationRelationship(
    {
      federationRelationships: [
        {
          trustDomain: other.server.trustDomain.name,
          bundleEndpointUrl: other.url,
          ...(other.profile === 'https_web'
            ? { bundleEndpointProfile: { case: 'httpsWeb' as const, value: {} } }
            : {
                bundleEndpointProfile: {
                  case: 'httpsSpiffe' as const,
                  value: { endpointSpiffeId: other.server.id('/spire/server') },
                },
                trustDomainBundle: await other.server.api.bundle.getBundle({}, { deadline: 10 }),
              }),
        },
      ],
    },
    { deadline: 10 },
  );
  ensure(results[0]?.status?.code === 0, `${server.maker} creates the relationship: ${results[0]?.status?.message}`);
}

export const refresh = ({ server }: FederatedServer, other: FederatedServer): Promise<unknown> =>
  server.api.trustDomain.refreshBundle({ trustDomain: other.server.trustDomain.name }, { deadline: 20 });

/** What `one` knows of `other`. */
export const known = ({ server }: FederatedServer, other: FederatedServer): Promise<types.Bundle> =>
  server.api.bundle.getFederatedBundle({ trustDomain: other.server.trustDomain.name }, { deadline: 10 });

export const rootsOf = ({ x509Authorities }: types.Bundle): string =>
  x509Authorities
    .map(({ asn1 }) => Buffer.from(asn1).toString('base64'))
    .sort()
    .join(' ');
