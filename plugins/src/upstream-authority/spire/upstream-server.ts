import { authorizeId, spiffeChannelCredentials, X509Source } from '@steeple/client';
import { IssuerError, type IssuerErrorCode, serverId } from '@steeple/core';
import { Code, createClient, GrpcError, orAborted, type ServiceClient } from '@steeple/proto/grpc';
import { bundleV1, svidV1 } from '@steeple/proto/server-api';
import type { TrustDomain } from '@steeple/spiffe';
import { ChosenSvid } from './chosen-svid.ts';

export interface UpstreamServerParts {
  /** `host:port`; IPv6 addresses in brackets. */
  readonly address: string;
  /** Path of the Workload API socket of the agent that knows us as a downstream server. */
  readonly workloadApiSocket: string;
  readonly trustDomain: TrustDomain;
  /** Unix seconds. */
  readonly now: () => number;
}

interface Clients {
  readonly svid: ServiceClient<typeof svidV1.SVID>;
  readonly bundle: ServiceClient<typeof bundleV1.Bundle>;
}

interface Identity {
  readonly source: X509Source;
  readonly chosen: ChosenSvid;
}

type Use<T> = (server: Clients, options: { signal: AbortSignal; deadline: number }) => Promise<T>;

/** Seconds that the agent and one call may take. */
const PATIENCE = 15;

/**
 * The server above, called with an X509-SVID that the agent of this machine gives us. Connects when first needed; the
 * identity may rotate at any time, and of several the one is used that the server takes for a server below.
 */
export class UpstreamServer {
  readonly #parts: UpstreamServerParts;
  readonly #closing = new AbortController();
  #identity: Promise<Identity> | undefined;
  #clients: Clients | undefined;

  constructor(parts: UpstreamServerParts) {
    this.#parts = parts;
  }

  /** Makes one call. @throws {IssuerError} that says what could not be had and why */
  async call<T>(what: string, signal: AbortSignal, use: Use<T>): Promise<T> {
    try {
      return await this.#withEach(await orAborted(this.#open(), signal), signal, use);
    } catch (cause) {
      signal.throwIfAborted();
      // No answer of the server: the agent may have been replaced, so nothing of it is kept.
      if (!(cause instanceof GrpcError)) await this.#leave();
      throw new IssuerError(codeOf(cause), `${what}: ${(cause as Error).message}`, { cause });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#leave();
  }

  /** One identity after the other, until one is not refused. */
  async #withEach<T>(identity: Identity, signal: AbortSignal, use: Use<T>): Promise<T> {
    const tried = new Set<string>();
    for (;;) {
      try {
        this.#clients ??= this.#connect(identity);
        return await use(this.#clients, { signal, deadline: PATIENCE });
      } catch (error) {
        const isRefused = error instanceof GrpcError && error.code === Code.PERMISSION_DENIED;
        if (!isRefused || !identity.chosen.tryNext(tried)) throw error;
        this.#disconnect();
      }
    }
  }

  #open(): Promise<Identity> {
    this.#identity ??= this.#follow();
    return this.#identity;
  }

  async #follow(): Promise<Identity> {
    try {
      const address = `unix:${this.#parts.workloadApiSocket}`;
      const source = await X509Source.open({ address, timeout: PATIENCE, signal: this.#closing.signal });
      return { source, chosen: new ChosenSvid(source) };
    } catch (error) {
      this.#identity = undefined;
      throw error;
    }
  }

  #connect({ source, chosen }: Identity): Clients {
    const { address, trustDomain, now } = this.#parts;
    const authorize = authorizeId(serverId(trustDomain));
    const settings = {
      address: `dns:///${address}`,
      credentials: spiffeChannelCredentials({ svid: chosen, bundles: source, authorize, now }),
      options: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 5000 },
    };
    return { svid: createClient(svidV1.SVID, settings), bundle: createClient(bundleV1.Bundle, settings) };
  }

  #disconnect(): void {
    for (const client of Object.values(this.#clients ?? {})) client.close();
    this.#clients = undefined;
  }

  async #leave(): Promise<void> {
    const identity = this.#identity;
    this.#identity = undefined;
    this.#disconnect();
    await (await identity?.catch(() => undefined))?.source.close();
  }
}

const CODES: ReadonlyMap<number, IssuerErrorCode> = new Map([
  [Code.UNIMPLEMENTED, 'unimplemented'],
  [Code.UNAVAILABLE, 'unavailable'],
  [Code.DEADLINE_EXCEEDED, 'unavailable'],
  [Code.PERMISSION_DENIED, 'permission-denied'],
  [Code.UNAUTHENTICATED, 'permission-denied'],
  [Code.INVALID_ARGUMENT, 'invalid-argument'],
]);

/** What is no answer of the server is a failure to reach it: no agent, no identity, no trust. */
function codeOf(error: unknown): IssuerErrorCode {
  if (!(error instanceof GrpcError)) return 'unavailable';
  return CODES.get(error.code) ?? 'internal';
}
