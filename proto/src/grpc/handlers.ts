import type { DescMessage, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { CallContext } from './context.ts';
import type { Encoded } from './encoded.ts';
import type { MethodsOf } from './service.ts';

export type UnaryHandler<I, O> = (request: I, ctx: CallContext) => Promise<O>;
/** Usually an async generator. It is asked for a message only when the last one has left. */
export type ServerStreamHandler<I, O> = (request: I, ctx: CallContext) => AsyncIterable<O>;
/** `requests` ends when the client half-closes. */
export type BidiHandler<I, O> = (requests: AsyncIterable<I>, ctx: CallContext) => AsyncIterable<O>;
export type ClientStreamHandler<I, O> = (requests: AsyncIterable<I>, ctx: CallContext) => Promise<O>;

type HandlerOf<M> = M extends {
  methodKind: infer K;
  input: infer I extends DescMessage;
  output: infer O extends DescMessage;
}
  ? K extends 'unary'
    ? UnaryHandler<MessageShape<I>, MessageInitShape<O> | Encoded<O>>
    : K extends 'server_streaming'
      ? ServerStreamHandler<MessageShape<I>, MessageInitShape<O> | Encoded<O>>
      : K extends 'client_streaming'
        ? ClientStreamHandler<MessageShape<I>, MessageInitShape<O>>
        : BidiHandler<MessageShape<I>, MessageInitShape<O>>
  : never;

/**
 * Handlers by method name. Responses may be messages, plain fields, or encoded already where the client sends one request.
 * A method left out answers UNIMPLEMENTED.
 */
export type Handlers<S extends DescService> = {
  readonly [N in keyof MethodsOf<S>]?: HandlerOf<MethodsOf<S>[N]>;
};
