// Servers in this process that publish their bundles or read those of others; the Web is an authority of the test.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { systemClock } from '@steeple/daemon';
import { configOf } from '@steeple/daemon/config';
import { createClient, type ServiceClient } from '@steeple/proto/grpc';
import { bundleV1, localauthorityV1, svidV1, trustdomainV1, type types } from '@steeple/proto/server-api';
import { createServer, parseServerConfig, type Server } from '@steeple/server';
import { toPem } from '@steeple/spiffe';
import { MemoryLogger, TestTrustDomain } from '@steeple/test-kit';

type Profile = types.FederationRelationship['bundleEndpointProfile'];

export const WEB_PROFILE: Profile = { case: 'httpsWeb', value: {} as types.HTTPSWebProfile };
export const spiffeProfile = (endpointSpiffeId: string): Profile => ({
  case: 'httpsSpiffe',
  value: { endpointSpiffeId } as types.HTTPSSPIFFEProfile,
});

export const publishing = (identity: object = { https_spiffe: {} }): object => ({
  federation: { bundle_endpoint: { address: '127.0.0.1', port: 0, profile: identity } },
});

export class Domain implements AsyncDisposable {
  readonly name: string;
  readonly dir: string;
  readonly logger = new MemoryLogger();
  /** Seconds by which the server's clock is ahead. */
  aheadBy = 0;
  readonly #settings: object;
  readonly #web: TestTrustDomain;
  #server!: Server;
  bundles!: ServiceClient<typeof bundleV1.Bundle>;
  federation!: ServiceClient<typeof trustdomainV1.TrustDomain>;
  authorities!: ServiceClient<typeof localauthorityV1.LocalAuthority>;
  svids!: ServiceClient<typeof svidV1.SVID>;

  private constructor(name: string, dir: string, settings: object, web: TestTrustDomain) {
    this.name = name;
    this.dir = dir;
    this.#settings = settings;
    this.#web = web;
  }

  static async open(name: string, web: TestTrustDomain, settings: object = {}): Promise<Domain> {
    const domain = new Domain(name, await mkdtemp('/tmp/st-fed-'), settings, web);
    await domain.start();
    return domain;
  }

  async start(): Promise<void> {
    const server = {
      trust_domain: this.name,
      bind_address: '127.0.0.1',
      bind_port: 0,
      socket_path: join(this.dir, 'api.sock'),
      data_dir: join(this.dir, 'data'),
      ...this.#settings,
    };
    this.#server = createServer(parseServerConfig(configOf({ server }), {}), {
      logger: this.logger,
      webRoots: () => [toPem('CERTIFICATE', this.#web.issuer.certificate.raw)],
      clock: { ...systemClock, now: () => systemClock.now() + this.aheadBy },
    });
    await this.#server.start();
    const settings = { address: `unix:${server.socket_path}`, credentials: credentials.createInsecure() };
    this.bundles = createClient(bundleV1.Bundle, settings);
    this.federation = createClient(trustdomainV1.TrustDomain, settings);
    this.authorities = createClient(localauthorityV1.LocalAuthority, settings);
    this.svids = createClient(svidV1.SVID, settings);
  }

  async stop(): Promise<void> {
    for (const client of [this.bundles, this.federation, this.authorities, this.svids]) client.close();
    await this.#server.stop();
  }

  async startAgain(aheadBy = this.aheadBy): Promise<void> {
    await this.stop();
    this.aheadBy = aheadBy;
    await this.start();
  }

  get url(): string {
    return `https://127.0.0.1:${this.#server.addresses.bundleEndpoint?.port}/`;
  }

  /** Makes a relationship; the status of that item. */
  async relate(trustDomain: string, bundleEndpointUrl: string, profile?: Profile, bundle?: object): Promise<number> {
    const { results } = await this.federation.batchCreateFederationRelationship({
      federationRelationships: [
        {
          trustDomain,
          bundleEndpointUrl,
          ...(profile && { bundleEndpointProfile: profile }),
          ...(bundle && { trustDomainBundle: bundle }),
        },
      ],
    });
    return results[0]?.status?.code ?? -1;
  }

  /** Fetches now; the reason if that fails. */
  refresh(trustDomain: string): Promise<string> {
    return this.federation.refreshBundle({ trustDomain }).then(
      () => 'fresh',
      (error: Error) => error.message,
    );
  }

  known(trustDomain: string): Promise<types.Bundle> {
    return this.bundles.getFederatedBundle({ trustDomain });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** The wire form of a test domain's bundle, X.509 authorities only. */
export const wireBundle = ({ bundle, trustDomain }: TestTrustDomain): object => ({
  trustDomain: trustDomain.name,
  x509Authorities: bundle.x509Authorities.map(({ certificate }) => ({ asn1: Uint8Array.from(certificate.raw) })),
  sequenceNumber: bundle.sequence,
});

/** Roots as text, to compare. */
export const rootsOf = ({ x509Authorities }: types.Bundle): string[] =>
  x509Authorities.map(({ asn1 }) => Buffer.from(asn1).toString('hex'));
