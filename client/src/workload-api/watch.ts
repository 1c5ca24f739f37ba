import { type BackoffShape, backoff, Code, GrpcError, heedRetryInfo } from '@steeple/proto/grpc';
import type { ClientRim } from '../rim.ts';

/** What a watch reports. Only `update` and `withdrawn` change what a workload may use. */
export type WatchEvent<T> =
  /** The full present state; what it leaves out is gone (SPIFFE Workload API, section 4.4). */
  | { readonly kind: 'update'; readonly value: T }
  /** The workload is entitled to nothing any more: stop using what was received. */
  | { readonly kind: 'withdrawn'; readonly error: GrpcError }
  /** The connection was lost or a message was broken and dropped; the last state stands. */
  | { readonly kind: 'error'; readonly error: Error };

/** Seconds; a stream that lived this long is healthy, and its end is followed by an immediate reconnection. */
const HEALTHY = 1;
/**
 * Short, since a workload may be waiting for its entry or hold an SVID that ends, and asking over a local socket is cheap.
 * An agent that has too much to do says for itself how long to stay away.
 */
const BACKOFF: BackoffShape = { initial: 0.1, max: 2, multiplier: 2, jitter: 0.2 };

/** A status after which asking again is useless or forbidden (WEP-17, WEP-24, WAPI-52). */
export function isFinal(error: unknown): boolean {
  return error instanceof GrpcError && (error.code === Code.INVALID_ARGUMENT || error.code === Code.UNIMPLEMENTED);
}

/**
 * Follows a Workload API stream across reconnections until the signal aborts (it then just ends) or the server gives a
 * final status (it then throws it). The stream's end is answered by reconnecting at once, repeated ends by backing off.
 */
export async function* watch<M, T>(
  open: (signal: AbortSignal) => AsyncIterable<M>,
  read: (message: M) => T,
  rim: ClientRim,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  let failures = 0;
  while (!signal.aborted) {
    const openedAt = rim.monotonic();
    let received = false;
    let failure: unknown;
    try {
      for await (const message of open(signal)) {
        received = true;
        yield readOne(message, read);
      }
      yield { kind: 'error', error: new GrpcError(Code.UNAVAILABLE, 'the Workload API ended the stream') };
    } catch (error) {
      if (signal.aborted) return;
      if (isFinal(error)) throw error;
      failure = error;
      yield lost(error);
    }
    if (received && rim.monotonic() - openedAt >= HEALTHY) failures = 0;
    await pause(failures, failure, rim, signal);
    failures += 1;
  }
}

function readOne<M, T>(message: M, read: (message: M) => T): WatchEvent<T> {
  try {
    return { kind: 'update', value: read(message) };
  } catch (error) {
    return { kind: 'error', error: asError(error) };
  }
}

function lost(error: unknown): WatchEvent<never> {
  const denied = error instanceof GrpcError && error.code === Code.PERMISSION_DENIED;
  return denied ? { kind: 'withdrawn', error } : { kind: 'error', error: asError(error) };
}

async function pause(failures: number, failure: unknown, rim: ClientRim, signal: AbortSignal): Promise<void> {
  const wait = heedRetryInfo(failure, failures === 0 ? 0 : backoff(failures, rim.random(), BACKOFF));
  if (wait === 0) return;
  // Its only failure is the signal, which the loop looks at next.
  await rim.sleep(wait, signal).catch(() => {});
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
