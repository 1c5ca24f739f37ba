import { randomBytes } from 'node:crypto';
import type { AddressInfo, Server } from 'node:net';
import { authorizeAny, createTlsServer } from '@steeple/client/tls';
import { silentLogger } from '@steeple/daemon';
import { GrpcHost } from '@steeple/daemon/listen';
import { Code, GrpcError, type Handlers, packDetail } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, svidV1, types } from '@steeple/proto/server-api';
import { BundleSet, readCsr, SpiffeId, signJwtSvid } from '@steeple/spiffe';
import type { TestTrustDomain } from '@steeple/test-kit';

export interface ScriptedEntry {
  readonly id: string;
  readonly path: string;
  readonly selectors?: readonly string[];
  readonly revision?: number;
  readonly hint?: string;
  readonly federatesWith?: readonly string[];
}

/**
 * A server as SPIRE's is on the wire, with a real certificate on a real port and a mind of the test's: entries live in a
 * map, and `refuse` may fail any call. It announces nothing (there is no Sync service).
 */
export class ScriptedServer implements AsyncDisposable {
  readonly domain: TestTrustDomain;
  readonly entries = new Map<string, ScriptedEntry>();
  /** Methods called, without their package, in order. */
  readonly calls: string[] = [];
  /** Entry ids that were asked for in full by SyncAuthorizedEntries. */
  readonly fetched: string[] = [];
  readonly federated = new Map<string, TestTrustDomain>();
  refuse: (method: string) => GrpcError | undefined = () => undefined;
  /** Answers more entries than this in pages of revisions. */
  pageSize = 500;
  /** Ends the list of entries after its first message, whatever is left. */
  cutShort = false;
  reattestable = false;
  /** The path of what is really issued for an entry. */
  issuedPath = (entry: ScriptedEntry): string => entry.path;
  agentTtl = 3600;
  svidTtl = 3600;
  readonly #host: GrpcHost;
  readonly #server: Server;

  static async start(domain: TestTrustDomain, serverPath = '/spire/server', port = 0): Promise<ScriptedServer> {
    const svid = await domain.x509Svid(serverPath);
    const started = new ScriptedServer(domain, { x509Svid: () => svid });
    await new Promise<void>((resolve) => started.#server.listen(port, '127.0.0.1', resolve));
    return started;
  }

  private constructor(domain: TestTrustDomain, svid: Parameters<typeof createTlsServer>[0]['svid']) {
    this.domain = domain;
    this.#host = new GrpcHost({
      logger: silentLogger,
      middleware: [
        async ({ method }, next) => {
          this.calls.push(method.name);
          const refusal = this.refuse(method.name);
          if (refusal !== undefined) throw refusal;
          await next();
        },
      ],
    });
    this.#host.add(agentV1.Agent, this.#agent());
    this.#host.add(bundleV1.Bundle, this.#bundle());
    this.#host.add(entryV1.Entry, this.#entry());
    this.#host.add(svidV1.SVID, this.#svid());
    this.#server = createTlsServer(
      {
        svid,
        bundles: BundleSet.of(domain.bundle),
        authorize: authorizeAny(),
        now: () => Date.now() / 1000,
        clientCertificate: 'optional',
        tls: { ALPNProtocols: ['h2'] },
      },
      (socket) => this.#host.inject(socket, { kind: 'tcp', address: '127.0.0.1', tls: socket }),
    );
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  put(...entries: ScriptedEntry[]): void {
    for (const entry of entries) this.entries.set(entry.id, entry);
  }

  count(method: string): number {
    return this.calls.filter((called) => called === method).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host.forceShutdown();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #agent(): Handlers<typeof agentV1.Agent> {
    const { domain } = this;
    const attest = this.#issueAgent.bind(this);
    const reattestable = () => this.reattestable;
    return {
      async *attestAgent(requests) {
        for await (const { step } of requests) {
          if (step.case !== 'params') throw GrpcError.of(Code.INVALID_ARGUMENT, 'malformed param');
          yield {
            step: {
              case: 'result',
              value: { svid: await attest(step.value.params?.csr), reattestable: reattestable() },
            },
          };
          return;
        }
      },
      renewAgent: async ({ params }) => ({ svid: await attest(params?.csr) }),
      postStatus: async () => ({}),
      getAgent: async () => ({ id: { trustDomain: domain.trustDomain.name, path: '/' } }),
    };
  }

  #bundle(): Handlers<typeof bundleV1.Bundle> {
    return {
      getBundle: async () => wireBundle(this.domain),
      getFederatedBundle: async ({ trustDomain }) => {
        const found = this.federated.get(trustDomain);
        if (found === undefined) throw GrpcError.of(Code.NOT_FOUND, 'bundle not found');
        return wireBundle(found);
      },
    };
  }

  #entry(): Handlers<typeof entryV1.Entry> {
    return {
      getAuthorizedEntries: async () => ({ entries: this.#all() }),
      syncAuthorizedEntries: (requests) => this.#sync(requests),
    };
  }

  async *#sync(requests: AsyncIterable<entryV1.SyncAuthorizedEntriesRequest>) {
    for await (const { ids } of requests) {
      if (ids.length > 0) {
        this.fetched.push(...ids);
        yield { entries: this.#all().filter(({ id }) => ids.includes(id)) };
        continue;
      }
      if (this.entries.size <= this.pageSize) {
        yield { entries: this.#all(), more: this.cutShort };
        return;
      }
      const revisions = this.#all().map(({ id, revisionNumber, createdAt }) => ({ id, revisionNumber, createdAt }));
      for (let at = 0; at < revisions.length; at += this.pageSize) {
        const more = at + this.pageSize < revisions.length;
        yield { entryRevisions: revisions.slice(at, at + this.pageSize), more };
        if (this.cutShort) return;
      }
    }
  }

  #all() {
    return [...this.entries.values()].map((entry) => this.#wire(entry));
  }

  #svid(): Handlers<typeof svidV1.SVID> {
    return {
      batchNewX509SVID: async ({ params }) => ({
        results: await Promise.all(params.map(({ entryId, csr }) => this.#issueX509(entryId, csr))),
      }),
      newJWTSVID: async ({ entryId, audience }) => {
        const entry = this.entries.get(entryId);
        if (entry === undefined) throw GrpcError.of(Code.NOT_FOUND, 'entry not found or not authorized');
        const issuedAt = Math.floor(Date.now() / 1000);
        const id = this.domain.id(entry.path);
        const token = await signJwtSvid(this.domain.jwtSigner, { id, audience, issuedAt, expiresAt: issuedAt + 300 });
        const wireId = { trustDomain: id.trustDomain.name, path: id.path };
        return { svid: { token, id: wireId, issuedAt: BigInt(issuedAt), expiresAt: BigInt(issuedAt + 300) } };
      },
    };
  }

  async #issueX509(entryId: string, csr: Uint8Array) {
    const refusal = this.refuse(`item:${entryId}`);
    const entry = this.entries.get(entryId);
    if (refusal !== undefined) return { status: { code: refusal.code, message: refusal.message } };
    if (entry === undefined) return { status: { code: Code.NOT_FOUND, message: 'entry not found or not authorized' } };
    return { status: { code: 0, message: 'OK' }, svid: await this.#issue(this.issuedPath(entry), csr, this.svidTtl) };
  }

  async #issueAgent(csr: Uint8Array | undefined) {
    return this.#issue(`/spire/agent/join_token/scripted`, csr ?? new Uint8Array(), this.agentTtl);
  }

  async #issue(path: string, csr: Uint8Array, ttl: number) {
    const now = Date.now() / 1000;
    const id = SpiffeId.of(this.domain.trustDomain, path);
    const notAfter = now + ttl;
    const leaf = await this.domain.issuer.issueLeaf({
      id,
      spki: readCsr(csr).spki,
      notBefore: now - 10,
      notAfter,
      serial: randomBytes(16),
    });
    return {
      id: { trustDomain: id.trustDomain.name, path },
      certChain: [leaf.raw as Uint8Array<ArrayBuffer>],
      expiresAt: BigInt(Math.floor(notAfter)),
    };
  }

  #wire(entry: ScriptedEntry) {
    return {
      id: entry.id,
      spiffeId: { trustDomain: this.domain.trustDomain.name, path: entry.path },
      selectors: (entry.selectors ?? [`unix:uid:${process.getuid?.() ?? 0}`]).map((text) => {
        const [type = '', ...value] = text.split(':');
        return { type, value: value.join(':') };
      }),
      federatesWith: [...(entry.federatesWith ?? [])],
      hint: entry.hint ?? '',
      revisionNumber: BigInt(entry.revision ?? 0),
      createdAt: 1n,
    };
  }
}

/** The refusal that tells an agent what it is to the server. */
export function agentRefusal(reason: keyof typeof types.PermissionDeniedDetails_Reason): GrpcError {
  const detail = packDetail(types.PermissionDeniedDetailsSchema, {
    reason: types.PermissionDeniedDetails_Reason[reason],
  });
  return GrpcError.of(Code.PERMISSION_DENIED, 'authorization denied', detail);
}

function wireBundle({ bundle }: TestTrustDomain) {
  const own = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;
  return {
    trustDomain: bundle.trustDomain.name,
    x509Authorities: bundle.x509Authorities.map(({ certificate }) => ({ asn1: own(certificate.raw) })),
    jwtAuthorities: bundle.jwtAuthorities.map(({ kid, spki }) => ({ keyId: kid, publicKey: own(spki) })),
    sequenceNumber: bundle.sequence,
  };
}
