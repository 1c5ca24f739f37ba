import { authorizeId, spiffeChannelCredentials } from '@steeple/client/tls';
import { serverId } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import { Code, createClient, GrpcError, type ServiceClient } from '@steeple/proto/grpc';
import { agentV1, bundleV1, entryV1, svidV1 } from '@steeple/proto/server-api';
import { syncV1 } from '@steeple/proto/steeple-api';
import type { BundleSource, Certificate, TrustBundle, TrustDomain, X509SvidSource } from '@steeple/spiffe';
import type { AgentEntry } from './agent-entry.ts';
import { getEntries, syncEntries } from './authorized-entries.ts';
import type { IssuedToken, ItemResult, PushEvent, ServerApi, WitRequest, X509Request } from './server-api.ts';
import { serverVerdict } from './server-verdict.ts';
import { readBundle, readChain, readItem, readPush, readToken } from './server-wire.ts';

export interface ServerTarget {
  readonly requirePostQuantum?: boolean;
  /** Host name or IP address. */
  readonly host: string;
  readonly port: number;
  readonly trustDomain: TrustDomain;
  /** The server is believed if it proves to be `spiffe://<trust domain>/spire/server` under this. */
  readonly bundles: BundleSource;
  /** Unix seconds. */
  readonly now: () => number;
}

export interface ServerLinkParts {
  readonly target: ServerTarget;
  /** Asked at each connection. */
  readonly svid: X509SvidSource;
  readonly logger: Logger;
  /** Seconds that one call may take. */
  readonly callTimeout: number;
}

interface Clients {
  readonly agent: ServiceClient<typeof agentV1.Agent>;
  readonly bundle: ServiceClient<typeof bundleV1.Bundle>;
  readonly entry: ServiceClient<typeof entryV1.Entry>;
  readonly svid: ServiceClient<typeof svidV1.SVID>;
  readonly sync: ServiceClient<typeof syncV1.Sync>;
}

/** How grpc-js reaches a server; without a SVID the agent is a stranger that wants to attest. */
export function dialSettings(target: ServerTarget, svid?: X509SvidSource): Parameters<typeof createClient>[1] {
  const { bundles, trustDomain, now, requirePostQuantum } = target;
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return {
    address: `dns:///${host}:${target.port}`,
    credentials: spiffeChannelCredentials({
      bundles,
      authorize: authorizeId(serverId(trustDomain)),
      now,
      svid,
      requirePostQuantum,
    }),
    options: {
      // The callers have their own patience; a channel that waits two minutes would outlast it.
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 5000,
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
    },
  };
}

/**
 * The calls to the server, on connections made with the agent's SVID.
 *
 * L1. After `reconnect` no new call uses an old connection; running ones may finish on it.
 * L2. A refusal of the old identity on an old connection says nothing about the new one, and is an ordinary error.
 */
export class ServerLink implements ServerApi {
  readonly #parts: ServerLinkParts;
  #clients: Clients | undefined;
  #generation = 0;
  #syncs = true;

  constructor(parts: ServerLinkParts) {
    this.#parts = parts;
  }

  /** Leaves the connections, because the identity changed or they seem dead. */
  reconnect(): void {
    this.#generation++; // L1
    this.close();
  }

  close(): void {
    for (const client of Object.values(this.#clients ?? {})) client.close();
    this.#clients = undefined;
  }

  authorizedEntries(
    known: ReadonlyMap<string, AgentEntry>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, AgentEntry>> {
    const skipped = (entry: string) =>
      this.#parts.logger.warn('The server sent an entry that makes no sense; skipping it', { entry });
    return this.#call(async ({ entry }) => {
      const limits = this.#limits(signal);
      if (!this.#syncs) return getEntries(entry, limits, skipped);
      try {
        return await syncEntries(entry, known, limits, skipped);
      } catch (error) {
        if (!(error instanceof GrpcError) || error.code !== Code.UNIMPLEMENTED) throw error;
        this.#syncs = false;
        return getEntries(entry, limits, skipped);
      }
    });
  }

  bundle(signal: AbortSignal): Promise<TrustBundle> {
    return this.#call(async ({ bundle }) =>
      readBundle(await bundle.getBundle({}, this.#limits(signal)), this.#parts.target.trustDomain),
    );
  }

  async federatedBundle(trustDomain: TrustDomain, signal: AbortSignal): Promise<TrustBundle | undefined> {
    try {
      return await this.#call(async ({ bundle }) => {
        const request = { trustDomain: trustDomain.name };
        return readBundle(await bundle.getFederatedBundle(request, this.#limits(signal)), trustDomain);
      });
    } catch (error) {
      if (error instanceof GrpcError && error.code === Code.NOT_FOUND) return undefined;
      throw error;
    }
  }

  newX509Svids(
    requests: readonly X509Request[],
    signal: AbortSignal,
  ): Promise<readonly ItemResult<readonly Certificate[]>[]> {
    return this.#call(async ({ svid }) => {
      const params = requests.map(({ entryId, csr }) => ({ entryId, csr: bytes(csr) }));
      const { results } = await svid.batchNewX509SVID({ params }, this.#limits(signal));
      return results.map(({ status, svid }) => readItem(status, () => readChain(svid)));
    });
  }

  newJwtSvid(entryId: string, audience: readonly string[], signal: AbortSignal): Promise<IssuedToken> {
    return this.#call(async ({ svid }) =>
      readToken((await svid.newJWTSVID({ entryId, audience: [...audience] }, this.#limits(signal))).svid),
    );
  }

  newWitSvids(requests: readonly WitRequest[], signal: AbortSignal): Promise<readonly ItemResult<IssuedToken>[]> {
    return this.#call(async ({ svid }) => {
      const params = requests.map(({ entryId, publicKey, algorithm }) => ({
        entryId,
        publicKey: bytes(publicKey),
        signingAlgorithm: algorithm,
      }));
      const { results } = await svid.batchNewWITSVID({ params }, this.#limits(signal));
      return results.map(({ status, svid }) => readItem(status, () => readToken(svid)));
    });
  }

  renewAgent(csr: Uint8Array, signal: AbortSignal): Promise<readonly Certificate[]> {
    return this.#call(async ({ agent }) =>
      readChain((await agent.renewAgent({ params: { csr: bytes(csr) } }, this.#limits(signal))).svid),
    );
  }

  async postStatus(agentVersion: string, signal: AbortSignal, bundleSequence = 0n): Promise<void> {
    const status = { agentVersion, currentBundleSerial: bundleSequence };
    await this.#call(({ agent }) => agent.postStatus(status, this.#limits(signal)));
  }

  async *watch(signal: AbortSignal): AsyncGenerator<PushEvent, void, undefined> {
    const generation = this.#generation;
    const skipped = (entry: string) =>
      this.#parts.logger.warn('The server announced an entry that makes no sense; skipping it', { entry });
    try {
      for await (const message of this.#connected().sync.watch({}, { signal })) {
        const event = readPush(message, skipped);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      throw this.#judge(error, generation);
    }
  }

  async #call<T>(run: (clients: Clients) => Promise<T>): Promise<T> {
    const generation = this.#generation;
    try {
      return await run(this.#connected());
    } catch (error) {
      throw this.#judge(error, generation);
    }
  }

  /** L2 */
  #judge(error: unknown, generation: number): unknown {
    if (generation === this.#generation || serverVerdict(error) !== 'reattest') return error;
    return new GrpcError(Code.UNAVAILABLE, 'the answer came on a connection of the former identity', { cause: error });
  }

  #connected(): Clients {
    this.#clients ??= this.#connect();
    return this.#clients;
  }

  #connect(): Clients {
    // Connections are shared by those who share the credentials object, and by nobody from before.
    const settings = dialSettings(this.#parts.target, this.#parts.svid);
    return {
      agent: createClient(agentV1.Agent, settings),
      bundle: createClient(bundleV1.Bundle, settings),
      entry: createClient(entryV1.Entry, settings),
      svid: createClient(svidV1.SVID, settings),
      sync: createClient(syncV1.Sync, settings),
    };
  }

  #limits(signal: AbortSignal): { signal: AbortSignal; deadline: number } {
    return { signal, deadline: this.#parts.callTimeout };
  }
}

/** The generated messages want an array of their own. */
function bytes(value: Uint8Array): Uint8Array<ArrayBuffer> {
  return value as Uint8Array<ArrayBuffer>;
}
