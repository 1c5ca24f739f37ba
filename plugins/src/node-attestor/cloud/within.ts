import { IssuerError } from '@steeple/core';

/**
 * Does something that asks several times, all of it within a time.
 *
 * @param seconds - for everything together
 * @throws {IssuerError} `unavailable` after that time; what `signal` was aborted with
 */
export async function within<T>(
  seconds: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(seconds * 1000);
  try {
    return await work(AbortSignal.any([signal, deadline]));
  } catch (cause) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw cause;
    throw new IssuerError('unavailable', `the provider did not answer within ${seconds} s`, { cause });
  }
}
