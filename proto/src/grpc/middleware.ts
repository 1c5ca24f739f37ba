import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { CallContext } from './context.ts';

/** A call on its way through the chain. */
export interface MiddlewareCall {
  readonly ctx: CallContext;
  readonly service: DescService;
  readonly method: DescMethod;
  /** The request message; undefined when the client streams. */
  readonly request: unknown;
}

/**
 * Wraps a whole call, streams included: `next` settles when the handler has finished, before the status is sent.
 * Throwing a GrpcError before `next` refuses the call; the handler then never runs.
 */
export type Middleware = (call: MiddlewareCall, next: () => Promise<void>) => Promise<void>;

/** Runs the chain, outermost first, around the handler. */
export function runChain(
  chain: readonly Middleware[],
  call: MiddlewareCall,
  handler: () => Promise<void>,
  from = 0,
): Promise<void> {
  const outermost = chain[from];
  if (outermost === undefined) return handler();
  return outermost(call, () => runChain(chain, call, handler, from + 1));
}
