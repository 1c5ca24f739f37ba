import { authorityKind, onAuthority } from '../../authority-kind.ts';
import type { CliContext, Options } from '../../verb.ts';
import { printAuthority } from './print-authority.ts';

export async function run(options: Options, context: CliContext, [kind]: readonly string[]): Promise<void> {
  const prepared = await onAuthority(authorityKind(kind), options, context, (calls) => calls.prepare());
  await printAuthority(context, options, prepared, 'prepared');
}
