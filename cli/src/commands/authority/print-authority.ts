import { localauthorityV1 } from '@steeple/proto/server-api';
import type { AuthorityState } from '../../authority-kind.ts';
import { print } from '../../output/print.ts';
import { expiry } from '../../output/relative-time.ts';
import type { CliContext, Options } from '../../verb.ts';

/** One line about an authority, or the whole message. */
export async function printAuthority(
  context: CliContext,
  options: Options,
  authority: AuthorityState | undefined,
  what: string,
): Promise<void> {
  if (authority === undefined) return;
  await print(context, options, localauthorityV1.AuthorityStateSchema, authority, () => {
    const until = authority.expiresAt > 0n ? `, expires ${expiry(Number(authority.expiresAt), context.now())}` : '';
    return `${what} ${authority.authorityId}${until}`;
  });
}
