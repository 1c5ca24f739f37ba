import type { DescService, MessageInitShape } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { authorizeId, spiffeChannelCredentials } from '@steeple/client/tls';
import { serverId } from '@steeple/core';
import { systemClock } from '@steeple/daemon';
import { configOf } from '@steeple/daemon/config';
import { createClient, type ServiceClient } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, type types } from '@steeple/proto/server-api';
import {
  BundleSet,
  generateKey,
  localSigner,
  makeCsr,
  parseCertificate,
  TrustBundle,
  TrustDomain,
  X509Svid,
  type X509SvidSource,
} from '@steeple/spiffe';
import { MemoryLogger, type TempDir, tempDir } from '@steeple/test-kit';
import { parseServerConfig } from '../config.ts';
import { createServer, type Server } from '../server.ts';

export const TRUST_DOMAIN = TrustDomain.parse('example.org');

/** What an entry may have beside its IDs and selectors. */
type EntryExtras = Partial<
  Pick<types.Entry, 'admin' | 'dnsNames' | 'downstream' | 'expiresAt' | 'hint' | 'x509SvidTtl'>
>;

/** A server on real sockets with its clients; for tests only. */
export class TestServer implements AsyncDisposable {
  readonly logger = new MemoryLogger();
  /** Seconds by which the server's clock is ahead. */
  aheadBy = 0;
  readonly #dir: TempDir;
  readonly #settings: Record<string, unknown>;
  readonly #blocks: Record<string, unknown>;
  #plugins: Record<string, unknown>;
  readonly #clients: { close(): void }[] = [];
  #server: Server | undefined;

  static async start(
    settings: Record<string, unknown> = {},
    plugins: Record<string, unknown> = {},
    blocks: Record<string, unknown> = {},
  ): Promise<TestServer> {
    const server = new TestServer(await tempDir(), settings, plugins, blocks);
    await server.startAgain();
    return server;
  }

  private constructor(
    dir: TempDir,
    settings: Record<string, unknown>,
    plugins: Record<string, unknown>,
    blocks: Record<string, unknown>,
  ) {
    this.#dir = dir;
    this.#blocks = blocks;
    this.#plugins = plugins;
    this.#settings = settings;
  }

  get running(): Server {
    if (!this.#server) throw new Error('the test server is stopped');
    return this.#server;
  }

  path(...names: string[]): string {
    return this.#dir.join(...names);
  }

  /** Takes effect at the next start. */
  reconfigure(plugins: Record<string, unknown>): void {
    this.#plugins = plugins;
  }

  async startAgain(): Promise<void> {
    const server = {
      trust_domain: TRUST_DOMAIN.name,
      bind_address: '127.0.0.1',
      bind_port: 0,
      socket_path: this.path('api.sock'),
      data_dir: this.path('data'),
      ratelimit: { attestation: false, signing: false },
      ...this.#settings,
    };
    this.#server = createServer(parseServerConfig(configOf({ server, plugins: this.#plugins, ...this.#blocks }), {}), {
      logger: this.logger,
      clock: { ...systemClock, now: () => systemClock.now() + this.aheadBy },
    });
    await this.#server.start();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** A client on the admin socket. */
  admin<S extends DescService>(service: S): ServiceClient<S> {
    const address = `unix:${this.running.addresses.socketPath}`;
    return this.#keep(createClient(service, { address, credentials: credentials.createInsecure() }));
  }

  /** A client on the TCP port, with an SVID or as a stranger. A connection of its own each time. */
  async remote<S extends DescService>(service: S, svid?: X509Svid): Promise<ServiceClient<S>> {
    const source: X509SvidSource | undefined = svid && { x509Svid: () => svid };
    const channel = spiffeChannelCredentials({
      bundles: BundleSet.of(await this.bundle()),
      authorize: authorizeId(serverId(TRUST_DOMAIN)),
      now: () => Date.now() / 1000,
      ...(source && { svid: source }),
    });
    const address = `127.0.0.1:${this.running.addresses.port}`;
    return this.#keep(createClient(service, { address, credentials: channel }));
  }

  async bundle(): Promise<TrustBundle> {
    const { x509Authorities } = await this.admin(bundleV1.Bundle).getBundle({});
    return TrustBundle.of(TRUST_DOMAIN, {
      x509Authorities: x509Authorities.map(({ asn1, tainted }) => ({ certificate: parseCertificate(asn1), tainted })),
    });
  }

  /** Attests with a join token, made for the purpose or given. */
  async attest(token?: string): Promise<X509Svid> {
    const value = token ?? (await this.admin(agentV1.Agent).createJoinToken({ ttl: 60 })).value;
    const { csr, key } = await newRequest();
    const stream = (await this.remote(agentV1.Agent)).attestAgent(attestMessages(value, csr));
    for await (const { step } of stream) {
      if (step.case === 'result') return svidOf(step.value.svid, key);
    }
    throw new Error('the attestation ended without a result');
  }

  /** Creates an entry below an agent and returns its ID. */
  async createEntry(parent: X509Svid, path: string, more: EntryExtras = {}): Promise<string> {
    const entry = {
      parentId: idOf(parent.id.path),
      spiffeId: idOf(path),
      selectors: [{ type: 'unix', value: 'uid:1000' }],
      ...more,
    };
    const { results } = await this.admin(entryV1.Entry).batchCreateEntry({ entries: [entry] });
    const [result] = results;
    if (!result?.entry) throw new Error(`no entry: ${result?.status?.message}`);
    return result.entry.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#dir[Symbol.asyncDispose]();
  }

  #keep<C extends { close(): void }>(client: C): C {
    this.#clients.push(client);
    return client;
  }
}

export const idOf = (path: string, trustDomain = TRUST_DOMAIN.name): { trustDomain: string; path: string } => ({
  trustDomain,
  path,
});

/** A fresh key with a signing request for it. */
export const newRequest = async (
  uri?: string,
): Promise<{ csr: Uint8Array<ArrayBuffer>; key: ReturnType<typeof generateKey> }> => {
  const key = generateKey('ec-p256');
  const csr = await makeCsr(localSigner(key), uri === undefined ? {} : { uri });
  return { csr: Uint8Array.from(csr), key };
};

/** The one message of an attestation by join token. */
export async function* attestMessages(
  token: string,
  csr: Uint8Array<ArrayBuffer>,
): AsyncGenerator<MessageInitShape<typeof agentV1.AttestAgentRequestSchema>> {
  const payload = new TextEncoder().encode(token);
  yield { step: { case: 'params', value: { data: { type: 'join_token', payload }, params: { csr } } } };
}

/** The SVID of an answer, with the key it was asked for. */
export const svidOf = (svid: types.X509SVID | undefined, key: ReturnType<typeof generateKey>): X509Svid =>
  X509Svid.fromParts(
    (svid?.certChain ?? []).map((der) => parseCertificate(der)),
    key,
  );
