import { SpiffeError } from '../errors.ts';

/** The SpiffeError an action is refused with; any other end of it fails the test. */
export function errorOf(action: () => unknown): SpiffeError {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    if (error instanceof SpiffeError) return error;
    throw error;
  }
  const text = JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? String(value) : (value as unknown)));
  throw new Error(`accepted, although it must not be: ${text}`);
}
