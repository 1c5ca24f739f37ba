import { authorityKind, onAuthority } from '../../authority-kind.ts';
import { UserError } from '../../exit.ts';
import type { CliContext, Options } from '../../verb.ts';
import { printAuthority } from './print-authority.ts';

export async function run(options: Options, context: CliContext, [kindText, id]: readonly string[]): Promise<void> {
  const kind = authorityKind(kindText);
  const active = await onAuthority(kind, options, context, async (calls) => {
    const authorityId = id ?? (await calls.state()).prepared?.authorityId;
    if (authorityId === undefined) {
      throw new UserError('no authority is prepared', `make one with \`steeple authority prepare ${kind}\``);
    }
    return calls.activate(authorityId);
  });
  await printAuthority(context, options, active, 'activated');
}
