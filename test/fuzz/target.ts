import type { Random } from './random.ts';

/** One reader under attack. */
export interface Target {
  readonly name: string;
  /** Part of all inputs that goes here; the parts add up to 1. */
  readonly share: number;
  /** The reason why refusing what the oracle accepts is right, by the words our refusal begins with. */
  readonly stricter: readonly (readonly [refusal: string, why: string])[];
  make(random: Random): Uint8Array;
  /** Reads the input, and asks the oracle where that is worth its time. */
  judge(input: Uint8Array, random: Random): Verdict | Promise<Verdict>;
}

/** What became of one input. `oracle` is what the independent reader says, if it was asked. */
export interface Verdict {
  readonly accepted: boolean;
  /** Why ours refused. */
  readonly refusal?: string;
  readonly oracle?: boolean;
}

export const ACCEPTED: Verdict = { accepted: true };

/** Something that must never happen, whoever is right. */
export class Finding extends Error {}

/** Runs a reader: its value, or the reason of its refusal. An error of any other class is a crash. */
export function attempt<T>(
  read: () => T,
  refusals: abstract new (...parameters: never[]) => Error,
): { value: T } | { refusal: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (error instanceof refusals) return { refusal: (error as Error).message };
    throw new Finding(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

/** Whether a reader that is not ours takes the input. */
export function takes(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
