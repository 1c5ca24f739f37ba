import { SpiffeError } from '../errors.ts';

/** The SpiffeError an action ends with; anything else fails the test. */
export function errorOf(action: () => unknown): SpiffeError {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    if (error instanceof SpiffeError) return error;
    throw error;
  }
  throw new Error(`nothing was thrown, the result is a ${typeof result}`);
}
