import { setTimeout as sleep } from 'node:timers/promises';
import { statusName } from '@steeple/proto/grpc';
import { Failed } from './exit.ts';
import type { CliContext } from './verb.ts';

/** Shows once, or with `--watch` again at every change until interrupted. */
export async function showOrWatch(
  watch: boolean,
  context: CliContext,
  show: (context: CliContext) => Promise<void>,
): Promise<void> {
  if (!watch) return show(context);
  let before = '';
  while (!context.signal.aborted) {
    const lines: string[] = [];
    await show({ ...context, out: (text) => lines.push(text) });
    const shown = lines.join('\n');
    if (shown !== before) context.out(context.colour ? `\u001b[H\u001b[2J${shown}` : shown);
    before = shown;
    await sleep(1000, undefined, { signal: context.signal }).catch(() => {});
  }
}

/** Items of a batch answer that were refused, told one by one; the command then fails. `advice` goes by status code. */
export function failRefused(
  context: CliContext,
  results: readonly { readonly status?: { readonly code: number; readonly message: string } | undefined }[],
  nameOf: (index: number) => string,
  advice: Readonly<Record<number, string>> = {},
): void {
  const refused = results.flatMap(({ status }, index) =>
    status === undefined || status.code === 0
      ? []
      : [`${nameOf(index)}: ${status.message} (${statusName(status.code)})`],
  );
  for (const line of refused) context.err(`error: ${line}`);
  const codes = new Set(results.map(({ status }) => status?.code ?? 0));
  for (const code of codes) if (advice[code] !== undefined) context.err(`  ${advice[code]}`);
  if (refused.length > 0) throw new Failed(`${refused.length} refused`);
}
