import type { Readable, Writable } from 'node:stream';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type * as grpc from '@grpc/grpc-js';
import type { OrOver } from './abort.ts';
import { CallEnd } from './call-end.ts';
import { Code } from './code.ts';
import type { CallContext } from './context.ts';
import type { Handlers } from './handlers.ts';
import { type Middleware, runChain } from './middleware.ts';
import { OpenCalls } from './open-calls.ts';
import { messagesOf, pump } from './pump.ts';
import { encoder, hasRequestStream, hasResponseStream, methodPath, serverDefinition } from './service.ts';
import { GrpcError, statusObjectOf } from './status.ts';

/** What the host of a service decides for it. */
export interface ServeOptions {
  /** Status for an error that is no GrpcError. Default: INTERNAL without the error's text. */
  readonly mapError?: (error: unknown, ctx: CallContext) => GrpcError;
  /** Where running calls are entered, so that the host can end them. */
  readonly openCalls?: OpenCalls;
}

type AnyCall = grpc.ServerUnaryCall<unknown, Buffer> | grpc.ServerDuplexStream<unknown, Buffer>;
// The types of a method's handler are checked by Handlers; here only its two shapes matter.
type AnyHandler = (input: unknown, ctx: CallContext) => Promise<unknown> | AsyncIterable<unknown>;
type Settings = {
  middleware: readonly Middleware[];
  openCalls: OpenCalls;
  mapError: NonNullable<ServeOptions['mapError']>;
};

/** Both arguments of `grpc.Server.addService`. */
export interface ServiceImplementation {
  readonly definition: grpc.ServiceDefinition;
  readonly implementation: grpc.UntypedServiceImplementation;
}

/** Turns handlers, which are async functions and async generators, into what grpc-js takes. */
export function serviceImplementation<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  middleware: readonly Middleware[] = [],
  options: ServeOptions = {},
): ServiceImplementation {
  const settings: Settings = {
    middleware,
    openCalls: options.openCalls ?? new OpenCalls(),
    mapError: options.mapError ?? (() => GrpcError.of(Code.INTERNAL, 'internal error')),
  };
  const given = handlers as Readonly<Record<string, AnyHandler | undefined>>;
  const implementation = Object.fromEntries(
    service.methods.map((method) => [method.localName, serveMethod(method, given[method.localName], settings)]),
  );
  return { definition: serverDefinition(service), implementation };
}

function serveMethod(method: DescMethod, handler: AnyHandler | undefined, settings: Settings): grpc.UntypedHandleCall {
  const path = methodPath(method);
  const encode = encoder(method.output) as (value: unknown) => Buffer;
  return (call: AnyCall, respond?: grpc.sendUnaryData<Buffer>): void => {
    const end = new CallEnd();
    const orOver: OrOver = (promise) => end.orEnded(promise);
    call.on('cancelled', () => end.end(callerGone));
    const ctx = new ServedCall(call, path, end);
    const request = hasRequestStream(method) ? undefined : (call as { request: unknown }).request;
    let response: Buffer | undefined;

    const handle = async (): Promise<void> => {
      if (handler === undefined) throw GrpcError.of(Code.UNIMPLEMENTED, `method ${path} is not implemented`);
      const input = hasRequestStream(method) ? messagesOf(call as unknown as Readable, orOver) : request;
      const output = handler(input, ctx);
      if (hasResponseStream(method)) {
        await pump(output as AsyncIterable<unknown>, call as unknown as Writable, encode, orOver);
      } else {
        response = encode(await end.orEnded(output as Promise<unknown>));
      }
    };
    const asGrpcError = (error: unknown): GrpcError => {
      if (error instanceof GrpcError) return error;
      // Whatever a handler throws because its signal aborted, the reason is the signal's.
      return end.reason ?? settings.mapError(error, ctx);
    };
    const handleOrFail = (): Promise<void> =>
      handle().catch((error: unknown) => {
        throw asGrpcError(error);
      });
    const run = async (): Promise<void> => {
      const forget = settings.openCalls.add({
        streaming: method.methodKind !== 'unary',
        end: (error) => end.end(() => error),
      });
      try {
        const chain = runChain(settings.middleware, { ctx, service: method.parent, method, request }, handleOrFail);
        // Nothing in the chain, however long it takes, may keep an ended call open.
        await end.orEnded(chain);
        if (end.reason !== undefined) throw end.reason;
      } finally {
        forget();
        end.finish();
      }
    };
    run().then(
      () => (respond ? respond(null, response) : (call as unknown as Writable).end()),
      (error: unknown) => fail(call, respond, asGrpcError(error)),
    );
  };
}

const callerGone = (): GrpcError => GrpcError.of(Code.CANCELLED, 'the caller has gone');

function fail(call: AnyCall, respond: grpc.sendUnaryData<Buffer> | undefined, error: GrpcError): void {
  const status = statusObjectOf(error);
  if (respond) respond(status);
  else call.emit('error', Object.assign(new Error(status.details), status));
}

class ServedCall implements CallContext {
  readonly method: string;
  readonly peerKey: string;
  readonly metadata: grpc.Metadata;
  readonly deadline: number | undefined;
  readonly #call: AnyCall;
  readonly #end: CallEnd;

  constructor(call: AnyCall, method: string, end: CallEnd) {
    const deadline = Number(call.getDeadline()) / 1000;
    this.method = method;
    this.peerKey = call.getPeer();
    this.metadata = call.metadata;
    this.deadline = Number.isFinite(deadline) ? deadline : undefined;
    this.#call = call;
    this.#end = end;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  sendMetadata(metadata: grpc.Metadata): void {
    this.#call.sendMetadata(metadata);
  }
}
