import { type BackoffShape, backoff, Code, GrpcError } from '@steeple/proto/grpc';
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
/** Short, since a workload may be waiting for its entry, and asking over a local socket is cheap. */
const BACKOFF: BackoffShape = { initial: 0.1, max: 5, multiplier: 2, jitter: 0.2 };

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
    try {
      for await (const message of open(signal)) {
        received = true;
        yield readOne(message, read);
      }
      yield { kind: 'error', error: new GrpcError(Code.UNAVAILABLE, 'the Workload API ended the stream') };
    } catch (error) {
      if (signal.aborted) return;
      if (isFinal(error)) throw error;
      yield lost(error);
    }
    if (received && rim.monotonic() - openedAt >= HEALTHY) failures = 0;
    await pause(failures, rim, signal);
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

async function pause(failures: number, rim: ClientRim, signal: AbortSignal): Promise<void> {
  if (failures === 0) return;
  // Its only failure is the signal, which the loop looks at next.
  await rim.sleep(backoff(failures, rim.random(), BACKOFF), signal).catch(() => {});
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
