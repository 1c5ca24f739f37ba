import { authorityKind, onAuthority } from '../../authority-kind.ts';
import type { CliContext, Options } from '../../verb.ts';
import { printAuthority } from './print-authority.ts';

export async function run(options: Options, context: CliContext, [kind, id = '']: readonly string[]): Promise<void> {
  const authority = await onAuthority(authorityKind(kind), options, context, (calls) => calls.taint(id));
  await printAuthority(context, options, authority, 'tainted');
}
