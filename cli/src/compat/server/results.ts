// Answers to batches: the items that went well on standard output, the others on standard error.
import { statusName } from '@steeple/proto/grpc';
import type { types } from '@steeple/proto/server-api';
import type { Call } from '../call.ts';
import { CommandError } from '../command-error.ts';
import { quote } from '../go/quote.ts';

export interface Result {
  readonly status?: types.Status | undefined;
}

export const isGood = ({ status }: Result): boolean => (status?.code ?? 0) === 0;

/** Why an item failed, as the commands tell it. */
export const failure = ({ status }: Result): string =>
  `(code: ${statusName(status?.code ?? 0)}, msg: ${quote(status?.message ?? '')})`;

/** Prints items with `text`. @throws {CommandError} when one of them failed */
export function tellResults<R extends Result>(
  call: Call,
  results: readonly R[],
  words: { readonly verb: string; readonly one: string; readonly many: string; readonly apart?: boolean },
  text: (result: R) => string,
): void {
  const gap = words.apart === true ? '\n' : '';
  for (const result of results.filter(isGood)) call.io.out(gap + text(result));
  const failed = results.filter((result) => !isGood(result));
  for (const result of failed) {
    call.io.out(gap);
    call.io.err(`Failed to ${words.verb} the following ${words.one} ${failure(result)}:\n${text(result)}`);
  }
  if (failed.length > 0) throw new CommandError(`failed to ${words.verb} one or more ${words.many}`);
}
