import type { Readable, Writable } from 'node:stream';
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import { orAborted } from './abort.ts';
import { Code } from './code.ts';
import { messagesOf, pump } from './pump.ts';
import { decoder, encoder, type MethodsOf, methodPath } from './service.ts';
import { fromServiceError, GrpcError } from './status.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Seconds from now. */
  readonly deadline?: number;
  readonly metadata?: grpc.Metadata | Readonly<Record<string, string>>;
}

type CallOf<M> = M extends {
  methodKind: infer K;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? K extends 'unary'
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : K extends 'server_streaming'
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : K extends 'client_streaming'
        ? (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => Promise<MessageShape<O>>
        : (requests: AsyncIterable<MessageInitShape<I>>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
  : never;

/** One function per method; every failure is a GrpcError. A streaming call starts when it is first read. */
export type ServiceClient<S extends DescService> = {
  readonly [N in keyof MethodsOf<S>]: CallOf<MethodsOf<S>[N]>;
} & {
  /** Ends the connection once running calls are over. */
  close(): void;
};

export interface ClientSettings {
  /** `unix:/path`, `host:port`, or any target grpc-js resolves. */
  readonly address: string;
  readonly credentials: grpc.ChannelCredentials;
  readonly options?: grpc.ClientOptions;
}

/** Connects lazily to a service. */
export function createClient<S extends DescService>(service: S, settings: ClientSettings): ServiceClient<S> {
  const client = new grpc.Client(settings.address, settings.credentials, {
    'grpc.enable_channelz': 0,
    ...settings.options,
  });
  const calls = service.methods.map((method) => [method.localName, callMethod(client, method)]);
  return Object.assign(Object.fromEntries(calls) as object, { close: () => client.close() }) as ServiceClient<S>;
}

type Request = MessageInitShape<DescMessage>;

function callMethod(client: grpc.Client, method: DescMethod): unknown {
  const path = methodPath(method);
  const encode = encoder(method.input) as (value: unknown) => Buffer;
  const decode = decoder(method.output);
  const asIs = (bytes: Buffer): Buffer => bytes;
  switch (method.methodKind) {
    case 'unary':
      return (request: Request, options: CallOptions = {}) =>
        single(options, (metadata, callOptions, done) =>
          client.makeUnaryRequest(path, encode, decode, request, metadata, callOptions, done),
        );
    case 'client_streaming':
      return (requests: AsyncIterable<Request>, options: CallOptions = {}) =>
        single(options, (metadata, callOptions, done, over) => {
          const call = client.makeClientStreamRequest(path, asIs, decode, metadata, callOptions, done);
          send(requests, call, encode, over).catch(() => call.cancel());
          return call;
        });
    case 'server_streaming':
      return (request: Request, options: CallOptions = {}) =>
        stream(options, (metadata, callOptions) =>
          client.makeServerStreamRequest(path, encode, decode, request, metadata, callOptions),
        );
    case 'bidi_streaming':
    default:
      return (requests: AsyncIterable<Request>, options: CallOptions = {}) =>
        stream(
          options,
          (metadata, callOptions) => client.makeBidiStreamRequest(path, asIs, decode, metadata, callOptions),
          (call, over) => send(requests, call as unknown as Writable, encode, over),
        );
  }
}

async function send(
  requests: AsyncIterable<Request>,
  call: Writable,
  encode: (value: unknown) => Buffer,
  over: AbortSignal,
): Promise<void> {
  await pump(requests, call, encode, (promise) => orAborted(promise, over));
  call.end();
}

type Start<C> = (metadata: grpc.Metadata, options: grpc.CallOptions) => C;

async function single<O>(
  options: CallOptions,
  start: (
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: (error: grpc.ServiceError | null, value?: O) => void,
    over: AbortSignal,
  ) => { cancel(): void },
): Promise<O> {
  refuseIfAborted(options.signal);
  let call: { cancel(): void } | undefined;
  const over = new AbortController();
  const cancel = (): void => call?.cancel();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await new Promise<O>((resolve, reject) => {
      const done = (error: grpc.ServiceError | null, value?: O): void =>
        error === null ? resolve(value as O) : reject(error);
      call = start(metadataOf(options), grpcOptions(options), done, over.signal);
    });
  } catch (error) {
    refuseIfAborted(options.signal);
    throw fromServiceError(error);
  } finally {
    over.abort();
    options.signal?.removeEventListener('abort', cancel);
  }
}

async function* stream<O>(
  options: CallOptions,
  start: Start<grpc.ClientReadableStream<O>>,
  sendRequests?: (call: grpc.ClientReadableStream<O>, over: AbortSignal) => Promise<void>,
): AsyncGenerator<O, void, undefined> {
  refuseIfAborted(options.signal);
  const call = start(metadataOf(options), grpcOptions(options));
  const over = new AbortController();
  const cancel = (): void => call.cancel();
  // A cancelled call reports itself even when nobody reads any more.
  call.on('error', () => {});
  options.signal?.addEventListener('abort', cancel, { once: true });
  let unsent: { error: unknown } | undefined;
  sendRequests?.(call, over.signal).catch((error: unknown) => {
    if (!over.signal.aborted) unsent = { error };
    call.cancel();
  });
  try {
    yield* messagesOf<O>(call as unknown as Readable, (promise) => orAborted(promise, over.signal));
  } catch (error) {
    refuseIfAborted(options.signal);
    if (unsent !== undefined) throw unsent.error;
    throw fromServiceError(error);
  } finally {
    over.abort();
    call.cancel();
    options.signal?.removeEventListener('abort', cancel);
  }
}

function refuseIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new GrpcError(Code.CANCELLED, 'the call was cancelled', { cause: signal.reason });
}

function grpcOptions(options: CallOptions): grpc.CallOptions {
  return options.deadline === undefined ? {} : { deadline: Date.now() + options.deadline * 1000 };
}

function metadataOf({ metadata = {} }: CallOptions): grpc.Metadata {
  if (metadata instanceof grpc.Metadata) return metadata;
  const made = new grpc.Metadata();
  for (const [key, value] of Object.entries(metadata)) made.set(key, value);
  return made;
}
