import type { Duplex } from 'node:stream';
import type { DescService } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import {
  type CallContext,
  Code,
  GrpcError,
  type Handlers,
  type Middleware,
  OpenCalls,
  serviceImplementation,
} from '@steeple/proto/grpc';
import { type Clock, systemClock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { allowCancellations } from './allow-cancellations.ts';
import { credentialsNaming } from './named-connection.ts';
import { describePeer, type Peer } from './peer.ts';

/** Bounds on what one connection may cost. */
export interface HostLimits {
  /** Open calls of one connection. A delegate may subscribe for hundreds of workloads over one. */
  readonly concurrentStreams?: number;
  /** Bytes of one received message. */
  readonly messageBytes?: number;
  /** Megabytes HTTP/2 may hold for one connection before it refuses new calls. */
  readonly sessionMegabytes?: number;
  /** Streams that a client may cancel in a burst, and per second; the default is Node's, for clients from the network. */
  readonly cancellations?: number;
  /** Seconds between pings that find dead peers; 0 sends none. */
  readonly keepAlive?: number;
  /**
   * Seconds after which a connection is told to go away, give or take a tenth, and seconds that its running calls then
   * get. What a client once proved about itself is so proved again.
   */
  readonly age?: { readonly max: number; readonly grace: number };
}

export interface GrpcHostOptions {
  readonly logger: Logger;
  /** Around every call of every service, outermost first. */
  readonly middleware?: readonly Middleware[];
  /** Status for an error that is no GrpcError; the default tells the caller nothing. */
  readonly mapError?: (error: unknown, ctx: CallContext) => GrpcError;
  readonly options?: HostLimits;
  readonly clock?: Clock;
}

interface Connection {
  readonly peer: Peer;
  readonly stream: Duplex;
  readonly injector: grpc.ConnectionInjector;
}

// grpc-js would print on stderr what strangers send, header values included.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

/** Calls open at the same time, on all connections: a bound on memory, far above what honest clients need. */
const MAX_OPEN_CALLS = 50_000;

/** Seconds that the running calls of a connection get whose time is over. */
const GRACE = 10;

/** Milliseconds; longer than any grace of ours. */
const NEVER = 3_600_000;

/** How long a status may take to leave before its connection is cut, in seconds. */
const FAREWELL = 0.5;

/**
 * One gRPC server that listens nowhere: listeners accept, learn who the peer is, and hand connections in.
 *
 * 1. Each connection has an injector of its own whose interceptor names it, so a call's peer key is exact whatever
 *    kind of stream carries it, and stays so after the connection is gone.
 * 2. Draining ends every stream with UNAVAILABLE. grpc-js would wait for nothing (tryShutdown ignores injected
 *    connections) or send CANCELLED (forceShutdown), and client libraries give up on that.
 */
export class GrpcHost {
  readonly #server: grpc.Server;
  readonly #options: GrpcHostOptions;
  readonly #clock: Clock;
  readonly #calls = new OpenCalls(MAX_OPEN_CALLS);
  readonly #connections = new Map<string, Connection>();
  #lastKey = 0;
  #closed = false;
  #emptied: (() => void) | undefined;

  constructor(options: GrpcHostOptions) {
    const limits = options.options ?? {};
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#server = new grpc.Server({
      'grpc.enable_channelz': 0,
      'grpc.max_concurrent_streams': limits.concurrentStreams ?? 1000,
      'grpc.max_receive_message_length': limits.messageBytes ?? 4 * 1024 * 1024,
      'grpc-node.max_session_memory': limits.sessionMegabytes ?? 64,
      ...(limits.age && {
        'grpc.max_connection_age_ms': limits.age.max * 1000,
        'grpc.max_connection_age_grace_ms': limits.age.grace * 1000,
      }),
      ...(limits.keepAlive ? { 'grpc.keepalive_time_ms': limits.keepAlive * 1000 } : {}),
    });
    if (limits.cancellations !== undefined) allowCancellations(this.#server, limits.cancellations);
  }

  /** Serves a service; must be done before connections come. */
  add<S extends DescService>(service: S, handlers: Handlers<S>): void {
    const { middleware, mapError } = this.#options;
    const served = serviceImplementation(service, handlers, middleware, {
      openCalls: this.#calls,
      mapError: (error, ctx) => mapError?.(error, ctx) ?? this.#unexpected(error, ctx),
    });
    this.#server.addService(served.definition, served.implementation);
  }

  /** Who is behind a call's `peerKey`; undefined once that connection is gone: refuse then. */
  peer(key: string): Peer | undefined {
    return this.#connections.get(key)?.peer;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get openCalls(): number {
    return this.#calls.size;
  }

  /**
   * Serves gRPC on a connection. The stream is the host's from here on. After `life` seconds the peer is told to go away,
   * and its running calls get the grace of old connections.
   */
  inject(stream: Duplex, peer: Peer, life?: number): void {
    // Resets by clients are ordinary; what ends is seen by 'close'.
    stream.on('error', () => {});
    if (this.#closed) {
      stream.destroy();
      return;
    }
    const key = `connection-${++this.#lastKey}`;
    const injector = this.#server.createConnectionInjector(credentialsNaming(key));
    this.#connections.set(key, { peer, stream, injector });
    stream.once('close', () => this.#forget(key));
    injector.injectConnection(stream);
    if (life !== undefined) void this.#retire(stream, injector, life);
  }

  /** Ends everything in order: streams at once, unary calls within the grace (seconds), then what is left. */
  async drain(graceSeconds: number): Promise<void> {
    this.#closed = true;
    this.#calls.drain();
    // The injector's own deadline must not come before ours: it would answer CANCELLED.
    const never = (graceSeconds + 60) * 1000;
    for (const { injector } of this.#connections.values()) injector.drain(never);
    await this.#empty(graceSeconds);
    this.#calls.stop();
    await this.#empty(FAREWELL);
    this.forceShutdown();
  }

  /** Cuts all connections now. */
  forceShutdown(): void {
    this.#closed = true;
    this.#calls.stop();
    for (const { stream } of this.#connections.values()) stream.destroy();
    this.#server.forceShutdown();
  }

  #unexpected(error: unknown, { method, peerKey }: CallContext): GrpcError {
    const peer = describePeer(this.peer(peerKey));
    this.#options.logger.error('A call failed unexpectedly', { method, ...peer, error });
    return new GrpcError(Code.INTERNAL, 'internal error', { cause: error });
  }

  async #retire(stream: Duplex, injector: grpc.ConnectionInjector, life: number): Promise<void> {
    const gone = new AbortController();
    stream.once('close', () => gone.abort());
    try {
      await this.#clock.sleep(life, gone.signal);
      injector.drain(NEVER);
      await this.#clock.sleep(this.#options.options?.age?.grace ?? GRACE, gone.signal);
      // Cut, not reset: on a reset of their calls client libraries give up.
      stream.destroy();
    } catch (error) {
      if (!gone.signal.aborted) throw error;
    }
  }

  #forget(key: string): void {
    this.#connections.get(key)?.injector.destroy();
    this.#connections.delete(key);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  /** Until no connection is left, or the time is over. */
  async #empty(seconds: number): Promise<void> {
    if (this.#connections.size === 0) return;
    const over = new AbortController();
    this.#emptied = () => over.abort();
    try {
      await this.#clock.sleep(seconds, over.signal);
    } catch (error) {
      if (!over.signal.aborted) throw error;
    } finally {
      this.#emptied = undefined;
    }
  }
}
