import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server as Listener, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import {
  Code,
  type ErrorCode,
  GrpcError,
  hasExactly,
  type Middleware,
  serviceImplementation,
} from '@steeple/proto/grpc';
import { SpiffeWorkloadAPI } from '@steeple/proto/workload';
import type { HeldWitSvid, TrustBundle, X509Svid } from '@steeple/spiffe';
import { Topic } from './topic.ts';
import {
  jwtBundlesResponse,
  type Wire,
  witBundlesResponse,
  witResponse,
  x509BundlesResponse,
  x509Response,
} from './wire-state.ts';

/** A call the fake received. */
export interface RecordedCall {
  /** `FetchX509SVID`, … */
  readonly method: string;
  /** Request metadata, as sent. */
  readonly metadata: Readonly<Record<string, readonly string[]>>;
}

/** Answers FetchJWTSVID; throw a `GrpcError` to refuse. */
export type JwtAnswer = (audience: readonly string[], spiffeId: string) => Promise<Wire<'fetchJWTSVID'>>;
/** Answers ValidateJWTSVID; throw a `GrpcError` to refuse. */
export type ValidateAnswer = (token: string, audience: string) => Promise<Wire<'validateJWTSVID'>>;

/** What a fake Workload API says when all is well. */
interface FakeState {
  readonly svids: readonly X509Svid[];
  readonly bundles: readonly TrustBundle[];
  readonly wits?: readonly HeldWitSvid[];
  readonly crls?: readonly Uint8Array[];
}

const SERVICE_STREAMS = ['x509', 'x509Bundles', 'jwtBundles', 'wit', 'witBundles'] as const;
type StreamName = (typeof SERVICE_STREAMS)[number];

/**
 * A Workload API for tests: a real gRPC server on a real socket that says what it is told to. Streams wait until something
 * is published; what is published can be valid state ({@link FakeWorkloadApi.issue}) or any message at all.
 */
export class FakeWorkloadApi implements AsyncDisposable {
  readonly x509 = new Topic<Wire<'fetchX509SVID'>>();
  readonly x509Bundles = new Topic<Wire<'fetchX509Bundles'>>();
  readonly jwtBundles = new Topic<Wire<'fetchJWTBundles'>>();
  readonly wit = new Topic<Wire<'fetchWITSVID'>>();
  readonly witBundles = new Topic<Wire<'fetchWITBundles'>>();
  /** May be replaced at any time. */
  answerJwt: JwtAnswer = async () => {
    throw noIdentity();
  };
  /** May be replaced at any time. */
  answerValidate: ValidateAnswer = async () => {
    throw new GrpcError(Code.INVALID_ARGUMENT, 'invalid token');
  };
  /** Every call so far, in order, refused ones included. */
  readonly calls: RecordedCall[] = [];
  readonly #directory: string;
  readonly #sockets = new Set<Socket>();
  #listener: Listener | undefined;

  /** Starts on a socket in a new temporary directory. */
  static async start(): Promise<FakeWorkloadApi> {
    const fake = new FakeWorkloadApi(await mkdtemp(join(tmpdir(), 'wl-')));
    await fake.listen();
    return fake;
  }

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** For `SPIFFE_ENDPOINT_SOCKET`. */
  get address(): string {
    return `unix://${join(this.#directory, 'api.sock')}`;
  }

  /**
   * Publishes a full valid state: SVIDs, the X.509, JWT and WIT bundles. Bundles of other trust domains are federated;
   * `crls` are revocation lists in DER.
   */
  issue(state: FakeState): void {
    this.x509.publish(x509Response(state.svids, state.bundles, state.crls));
    this.x509Bundles.publish(x509BundlesResponse(state.bundles, state.crls));
    this.jwtBundles.publish(jwtBundlesResponse(state.bundles));
    this.witBundles.publish(witBundlesResponse(state.bundles));
    if (state.wits !== undefined) this.wit.publish(witResponse(state.wits));
  }

  /** From now on the caller is entitled to nothing: every stream ends with PERMISSION_DENIED. */
  withdraw(): void {
    this.failAll(Code.PERMISSION_DENIED, 'no identity issued');
  }

  /** Ends every stream with a status, and every new one until something is published there again. */
  failAll(code: ErrorCode, message: string): void {
    for (const name of SERVICE_STREAMS) this[name].fail(new GrpcError(code, message));
  }

  /** Ends the open streams with a status; new ones are served. */
  interruptAll(code: ErrorCode, message: string): void {
    for (const name of SERVICE_STREAMS) this[name].interrupt(new GrpcError(code, message));
  }

  /** How often a method was called. */
  countOf(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  /** Stops listening and cuts all connections, as an agent that crashes. */
  async crash(): Promise<void> {
    const listener = this.#listener;
    if (listener === undefined) return;
    this.#listener = undefined;
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Listens again, on the same socket, after a crash. */
  async listen(): Promise<void> {
    const server = new Server({ 'grpc.enable_channelz': 0 });
    const { definition, implementation } = this.#service();
    server.addService(definition, implementation);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    // A listener of our own, because grpc-js cuts no connection at shutdown when channelz is off.
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    });
    const path = join(this.#directory, 'api.sock');
    await new Promise<void>((resolve, reject) => listener.once('error', reject).listen(path, resolve));
    this.#listener = listener;
  }

  /** Stops for good and removes the socket. */
  async close(): Promise<void> {
    await this.crash();
    await rm(this.#directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #service() {
    const follow =
      <N extends StreamName>(name: N) =>
      (_request: unknown, ctx: { signal: AbortSignal }) =>
        this[name].follow(ctx.signal) as ReturnType<FakeWorkloadApi[N]['follow']>;
    return serviceImplementation(
      SpiffeWorkloadAPI,
      {
        fetchX509SVID: follow('x509'),
        fetchX509Bundles: follow('x509Bundles'),
        fetchJWTBundles: follow('jwtBundles'),
        fetchWITSVID: follow('wit'),
        fetchWITBundles: follow('witBundles'),
        fetchJWTSVID: (request) => this.answerJwt(request.audience, request.spiffeId),
        validateJWTSVID: (request) => this.answerValidate(request.svid, request.audience),
      },
      [this.#record],
    );
  }

  readonly #record: Middleware = async ({ ctx, method }, next) => {
    const keys = Object.keys(ctx.metadata.getMap());
    const metadata = Object.fromEntries(keys.map((key) => [key, ctx.metadata.get(key).map(String)]));
    this.calls.push({ method: method.name, metadata });
    if (!hasExactly(ctx.metadata, 'workload.spiffe.io', 'true')) {
      throw new GrpcError(Code.INVALID_ARGUMENT, 'security header missing from request');
    }
    await next();
  };
}

function noIdentity(): GrpcError {
  return new GrpcError(Code.PERMISSION_DENIED, 'no identity issued');
}
