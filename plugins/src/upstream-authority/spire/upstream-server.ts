import { authorizeId, spiffeChannelCredentials, X509Source } from '@steeple/client';
import { IssuerError, type IssuerErrorCode, serverId } from '@steeple/core';
import { Code, createClient, GrpcError, orAborted, type ServiceClient } from '@steeple/proto/grpc';
import { bundleV1, svidV1 } from '@steeple/proto/server-api';
import type { TrustDomain } from '@steeple/spiffe';

export interface UpstreamServerParts {
  /** `host:port`; IPv6 addresses in brackets. */
  readonly address: string;
  /** Path of the Workload API socket of the agent that knows us as a downstream server. */
  readonly workloadApiSocket: string;
  readonly trustDomain: TrustDomain;
  /** Unix seconds. */
  readonly now: () => number;
}

interface Connected {
  readonly source: X509Source;
  readonly svid: ServiceClient<typeof svidV1.SVID>;
  readonly bundle: ServiceClient<typeof bundleV1.Bundle>;
}

/** Seconds that the agent and one call may take. */
const PATIENCE = 15;

/**
 * The server above, called with the X509-SVID that the agent of this machine gives us. Connects when first needed; the
 * identity may rotate at any time.
 */
export class UpstreamServer {
  readonly #parts: UpstreamServerParts;
  readonly #closing = new AbortController();
  #connected: Promise<Connected> | undefined;

  constructor(parts: UpstreamServerParts) {
    this.#parts = parts;
  }

  /** Makes one call. @throws {IssuerError} that says what could not be had and why */
  async call<T>(
    what: string,
    signal: AbortSignal,
    use: (server: Connected, options: { signal: AbortSignal; deadline: number }) => Promise<T>,
  ): Promise<T> {
    try {
      return await use(await orAborted(this.#connect(), signal), { signal, deadline: PATIENCE });
    } catch (cause) {
      signal.throwIfAborted();
      throw new IssuerError(codeOf(cause), `${what}: ${(cause as Error).message}`, { cause });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const connected = await this.#connected?.catch(() => undefined);
    this.#connected = undefined;
    connected?.svid.close();
    connected?.bundle.close();
    await connected?.source.close();
  }

  #connect(): Promise<Connected> {
    this.#connected ??= this.#open().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  async #open(): Promise<Connected> {
    const { address, workloadApiSocket, trustDomain, now } = this.#parts;
    const source = await X509Source.open({
      address: `unix:${workloadApiSocket}`,
      timeout: PATIENCE,
      signal: this.#closing.signal,
    });
    const authorize = authorizeId(serverId(trustDomain));
    const settings = {
      address: `dns:///${address}`,
      credentials: spiffeChannelCredentials({ svid: source, bundles: source, authorize, now }),
      options: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 5000 },
    };
    return { source, svid: createClient(svidV1.SVID, settings), bundle: createClient(bundleV1.Bundle, settings) };
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
