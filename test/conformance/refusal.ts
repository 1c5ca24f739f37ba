import { SpiffeError } from '@steeple/spiffe';

export { errorOf as refusal } from '../../spiffe/src/testing/error-of.ts';

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
