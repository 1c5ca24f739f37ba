import type { AuthorityKind, KindState } from '../../authority-kind.ts';
import { UserError } from '../../exit.ts';
import type { Published } from './published.ts';

export type Step = 'prepare' | 'activate' | 'taint' | 'wait' | 'revoke';

/** What is left of the way from a compromised authority to a trust domain without it. */
export interface RotationPlan {
  readonly compromised: string;
  readonly steps: readonly Step[];
}

const WAY: readonly Step[] = ['prepare', 'activate', 'taint', 'wait', 'revoke'];
const from = (step: Step): readonly Step[] => WAY.slice(WAY.indexOf(step));

/**
 * The steps that are left. All that is known comes from the server, so a rotation that was stopped goes on where it was.
 *
 * @param wanted the id of the compromised authority; undefined: whichever it must be
 * @param publishedAs how the bundle has an authority
 * @throws UserError where it is not certain which authority is meant, or nothing can be done
 */
export function planRotation(
  kind: AuthorityKind,
  { active, prepared, old }: KindState,
  wanted: string | undefined,
  publishedAs: (authorityId: string) => Published,
): RotationPlan {
  if (active === undefined) throw new UserError('the server has no authority yet', 'try again in a moment');
  if (kind === 'x509' && active.upstreamAuthoritySubjectKeyId !== '') {
    throw new UserError(
      "this server's X.509 authority is signed by one above it, which has to be replaced there",
      'afterwards use `steeple upstream taint` and `steeple upstream revoke` here',
    );
  }
  const unfinished = old !== undefined && publishedAs(old.authorityId) === 'tainted' ? old.authorityId : undefined;
  const compromised = wanted ?? unfinished ?? onlyOne(kind, { active, old }, publishedAs);
  if (compromised === active.authorityId) {
    if (unfinished !== undefined) {
      throw new UserError(
        `the rotation away from ${unfinished} is not finished`,
        `finish it first: steeple authority rotate ${kind} --compromised ${unfinished}`,
      );
    }
    return { compromised, steps: from(prepared === undefined ? 'prepare' : 'activate') };
  }
  if (compromised === prepared?.authorityId) {
    throw new UserError(
      `${compromised} is prepared and has signed nothing yet`,
      `replace it with \`steeple authority prepare ${kind}\`, then taint and revoke it`,
    );
  }
  switch (publishedAs(compromised)) {
    case 'trusted':
      return { compromised, steps: from('taint') };
    case 'tainted':
      return { compromised, steps: from('wait') };
    case 'absent':
      if (compromised === old?.authorityId) return { compromised, steps: [] };
      throw new UserError(`the server knows no ${kind} authority ${compromised}`, 'see `steeple authority show`');
  }
}

/** Without an id there must be no doubt: what signs now, unless something else that signed is trusted too. */
function onlyOne(
  kind: AuthorityKind,
  { active, old }: { active: { authorityId: string }; old?: KindState['old'] },
  publishedAs: (authorityId: string) => Published,
): string {
  if (old === undefined || publishedAs(old.authorityId) === 'absent') return active.authorityId;
  throw new UserError(
    'two authorities have signed and are trusted: say which is compromised',
    [active.authorityId, old.authorityId]
      .map(
        (id, index) => `steeple authority rotate ${kind} --compromised ${id}   (${index === 0 ? 'signs now' : 'old'})`,
      )
      .join('\n  '),
  );
}
