import { SpiffeError } from '@steeple/spiffe';

/** The SpiffeError an action is refused with; any other end of it fails the test. */
export function refusal(action: () => unknown): SpiffeError {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    if (error instanceof SpiffeError) return error;
    throw error;
  }
  throw new Error(
    `accepted, although it must not be: ${JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`,
  );
}

/** Which of the inputs are accepted. */
export function accepted<T>(inputs: readonly T[], judge: (input: T) => unknown): T[] {
  return inputs.filter((input) => {
    try {
      judge(input);
      return true;
    } catch (error) {
      if (error instanceof SpiffeError) return false;
      throw error;
    }
  });
}
