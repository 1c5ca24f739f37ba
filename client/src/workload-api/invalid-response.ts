import { ClientError } from '../errors.ts';

/** A message of the Workload API that must be reported and dropped as a whole. */
export function invalidResponse(message: string, cause?: unknown): ClientError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  const options = cause === undefined ? undefined : { cause };
  return new ClientError('invalid-response', `Workload API response: ${message}${reason}`, options);
}

/** Runs a reader; whatever it finds wrong makes the whole message invalid. */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw invalidResponse(what, cause);
  }
}

/** A mandatory field: at its default value it counts as absent (SPIFFE Workload API, section 4.5). */
export function mandatory<T extends string | Uint8Array>(value: T, field: string): T {
  if (value.length === 0) throw invalidResponse(`${field} is empty`);
  return value;
}
