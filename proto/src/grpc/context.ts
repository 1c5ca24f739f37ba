import type * as grpc from '@grpc/grpc-js';

/** What a handler knows about the call it serves. One object per call, on which a {@link CallSlot} keeps what is noted. */
export interface CallContext {
  /** `/package.Service/Method` */
  readonly method: string;
  /** Aborts when the caller cancels or disconnects, the deadline passes, or the server drains. */
  readonly signal: AbortSignal;
  /** Which connection; the host knows its peer by this key. */
  readonly peerKey: string;
  readonly metadata: grpc.Metadata;
  /** Unix seconds. */
  readonly deadline: number | undefined;
  /** Sends response headers now; without it they go with the first message. */
  sendMetadata(metadata: grpc.Metadata): void;
}

/** A place on each call for what one part of the host notes and another reads. */
export interface CallSlot<T> {
  get(ctx: CallContext): T | undefined;
  set(ctx: CallContext, value: T): void;
}

/**
 * Makes a slot. It is a hidden property of the call: what a WeakMap holds outlives the garbage collector's quick rounds, and
 * is copied in each.
 */
export function callSlot<T>(name: string): CallSlot<T> {
  const key = Symbol(name);
  type Holder = { [key]?: T };
  return {
    get: (ctx) => (ctx as Holder)[key],
    set: (ctx, value) => {
      (ctx as Holder)[key] = value;
    },
  };
}

/**
 * True when the key was sent exactly once with exactly this value.
 * A repeated header reaches Node as one string joined by commas, so the whole string must be equal.
 */
export function hasExactly(metadata: grpc.Metadata, key: string, value: string): boolean {
  const values = metadata.get(key);
  return values.length === 1 && values[0] === value;
}
