/** The promise's outcome, or a rejection as soon as what it is waited for by is over. */
export type OrOver = <T>(promise: PromiseLike<T>) => Promise<T>;

/**
 * The promise's outcome, or a rejection with the signal's reason as soon as that aborts.
 * Unlike Promise.race with one long-lived promise it leaves nothing behind when the promise settles first.
 */
export function orAborted<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    const settled = (): void => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).then(settled, settled);
    if (signal.aborted) abort();
  });
}

/** Waits until the signal aborts; never rejects. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
