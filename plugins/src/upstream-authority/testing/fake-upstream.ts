import { randomBytes } from 'node:crypto';
import { Server } from '@grpc/grpc-js';
import { FakeWorkloadApi, TestTrustDomain } from '@steeple/client/testing';
import { authorizeAny, type SpiffeGrpcPort, serveGrpc } from '@steeple/client/tls';
import { type CallContext, Code, GrpcError, serviceImplementation } from '@steeple/proto/grpc';
import { bundleV1, svidV1, type types } from '@steeple/proto/server-api';
import { readCsr, type TokenAuthority } from '@steeple/spiffe';
import { readKeys, wireKey } from '../spire/wire.ts';

const DOWNSTREAM = '/downstream';

/** A server above with the agent that lets us in; for tests only. It signs, takes keys and can be told to misbehave. */
export class FakeUpstream implements AsyncDisposable {
  readonly domain: TestTrustDomain;
  readonly agent: FakeWorkloadApi;
  readonly published: Record<'jwt' | 'wit', TokenAuthority[]> = { jwt: [], wit: [] };
  /** Subject key ids of roots that are compromised. */
  readonly tainted = new Set<string>();
  readonly preferredTtls: number[] = [];
  /** Thrown by every call while it is set. */
  failure: GrpcError | undefined;
  hasWit = true;
  #port!: SpiffeGrpcPort;

  static async start(): Promise<FakeUpstream> {
    const fake = new FakeUpstream(await TestTrustDomain.create('example.org'), await FakeWorkloadApi.start());
    await fake.#listen();
    await fake.admit();
    return fake;
  }

  private constructor(domain: TestTrustDomain, agent: FakeWorkloadApi) {
    this.domain = domain;
    this.agent = agent;
  }

  get port(): number {
    return this.#port.port;
  }

  get workloadApiSocket(): string {
    return this.agent.address.replace('unix://', '');
  }

  /** The agent gives identities; only that of an entry with the switch downstream may do what a server below may. */
  async admit(...paths: readonly string[]): Promise<void> {
    const svids = (paths.length === 0 ? [DOWNSTREAM] : paths).map((path) => this.domain.x509Svid(path));
    this.agent.issue({ svids: await Promise.all(svids), bundles: [this.domain.bundle] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#port.close();
    await this.agent[Symbol.asyncDispose]();
  }

  async #listen(): Promise<void> {
    const svid = await this.domain.x509Svid('/spire/server');
    const server = new Server();
    for (const [service, handlers] of [
      [svidV1.SVID, { newDownstreamX509CA: this.#sign.bind(this) }],
      [
        bundleV1.Bundle,
        {
          getBundle: async () => this.#answer(() => this.#bundle()),
          publishJWTAuthority: this.#publish('jwt'),
          publishWITAuthority: this.#publish('wit'),
        },
      ],
    ] as const) {
      const { definition, implementation } = serviceImplementation(service as never, handlers as never);
      server.addService(definition, implementation);
    }
    this.#port = await serveGrpc(server, {
      host: '127.0.0.1',
      port: 0,
      svid: { x509Svid: () => svid },
      bundles: { bundleFor: () => this.domain.bundle },
      authorize: authorizeAny(),
    });
  }

  async #sign({ csr, preferredTtl }: svidV1.NewDownstreamX509CARequest, { peerKey }: CallContext) {
    return this.#answer(async () => {
      const caller = this.#port.peer({ getPeer: () => peerKey })?.id.path;
      if (caller !== DOWNSTREAM) throw GrpcError.of(Code.PERMISSION_DENIED, `not for ${caller}`);
      this.preferredTtls.push(preferredTtl);
      const { spki, uriSans, subject } = readRequest(csr);
      if (uriSans.join() !== this.domain.trustDomain.id) throw GrpcError.of(Code.INVALID_ARGUMENT, 'malformed CSR');
      const now = Date.now() / 1000;
      const certificate = await this.domain.issuer.issueCa({
        id: this.domain.trustDomain,
        spki,
        subject,
        notBefore: now - 10,
        notAfter: now + preferredTtl,
        serial: randomBytes(16),
      });
      return { caCertChain: [Uint8Array.from(certificate.raw)], x509Authorities: [] };
    });
  }

  #publish(kind: 'jwt' | 'wit') {
    return async (request: { jwtAuthority?: types.JWTKey; witAuthority?: types.WITKey }) =>
      this.#answer(async () => {
        if (kind === 'wit' && !this.hasWit) throw GrpcError.of(Code.UNIMPLEMENTED, 'not yet');
        const wire = kind === 'jwt' ? request.jwtAuthority : request.witAuthority;
        const known = this.published[kind].find(({ kid }) => kid === wire?.keyId);
        if (wire && !known) this.published[kind].push(...readKeys([wire]));
        return { [`${kind}Authorities`]: this.published[kind].map(wireKey) };
      });
  }

  async #bundle() {
    return {
      trustDomain: this.domain.trustDomain.name,
      x509Authorities: this.domain.bundle.x509Authorities.map(({ certificate }) => ({
        asn1: Uint8Array.from(certificate.raw),
        tainted: this.tainted.has(certificate.subjectKeyId ?? ''),
      })),
      jwtAuthorities: this.published.jwt.map(wireKey),
      witAuthorities: this.published.wit.map(wireKey),
    };
  }

  async #answer<T>(work: () => Promise<T>): Promise<T> {
    if (this.failure) throw this.failure;
    return work();
  }
}

const readRequest = (csr: Uint8Array) => {
  try {
    return readCsr(csr);
  } catch {
    throw GrpcError.of(Code.INVALID_ARGUMENT, 'malformed CSR');
  }
};
