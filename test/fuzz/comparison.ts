import type { GoAnswer } from './go-spiffe-reader.ts';
import type { Random } from './random.ts';

/** One kind of input that both read. */
export interface Comparison {
  readonly name: string;
  readonly kind: 'i' | 'b';
  readonly inputs: number;
  make(random: Random): Uint8Array;
  compare(input: Uint8Array, theirs: GoAnswer): Difference | undefined;
}

/** Where two readings part. A known one is right, and `why` says so; another one is a finding. */
export interface Difference {
  readonly why: string;
  readonly known: boolean;
}

export const known = (why: string): Difference => ({ why, known: true });
export const unknown = (why: string): Difference => ({ why: why.slice(0, 200), known: false });
