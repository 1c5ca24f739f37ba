import { Code, GrpcError } from '@steeple/proto/grpc';
import { bundleV1 } from '@steeple/proto/server-api';
import { type AuthorityKind, authorityKinds, type KindState, onAuthority } from '../../authority-kind.ts';
import { isOn } from '../../flags.ts';
import { formatOf, printValue } from '../../output/print.ts';
import { expiry } from '../../output/relative-time.ts';
import { table } from '../../output/table.ts';
import { onServer } from '../../server-client.ts';
import type { CliContext, Options } from '../../verb.ts';
import { showOrWatch } from '../../watching.ts';
import { type Published, publishedAs } from './published.ts';

interface Row {
  readonly kind: AuthorityKind;
  readonly role: 'active' | 'prepared' | 'old';
  readonly authority_id: string;
  readonly expires_at: number;
  readonly bundle: Published;
  readonly upstream_authority_subject_key_id: string;
}

export async function run(options: Options, context: CliContext, [kind]: readonly string[]): Promise<void> {
  const kinds = authorityKinds(kind);
  await showOrWatch(isOn(options, 'watch'), context, async (screen) => {
    const rows = await collect(kinds, kind !== undefined, options, screen);
    const format = formatOf(options);
    if (format === 'json' || format === 'yaml') await printValue(screen, format, { authorities: rows });
    else screen.out(readable(rows, screen, format === 'wide'));
  });
}

async function collect(kinds: readonly AuthorityKind[], isNamed: boolean, options: Options, context: CliContext) {
  const bundle = await onServer(bundleV1.Bundle, options, context, (client) => client.getBundle({}));
  const rows: Row[] = [];
  for (const kind of kinds) {
    const state = await onAuthority(kind, options, context, (calls) => calls.state()).catch((error: unknown) => {
      // A kind that the server does not issue is only worth a word when it was asked for.
      if (!isNamed && error instanceof GrpcError && error.code === Code.UNIMPLEMENTED) return {};
      throw error;
    });
    rows.push(...rowsOf(kind, state, (id) => publishedAs(bundle, kind, id)));
  }
  return rows;
}

function rowsOf(kind: AuthorityKind, state: KindState, publishedIn: (id: string) => Published): Row[] {
  return (['active', 'prepared', 'old'] as const).flatMap((role) => {
    const authority = state[role];
    if (authority === undefined) return [];
    return [
      {
        kind,
        role,
        authority_id: authority.authorityId,
        expires_at: Number(authority.expiresAt),
        bundle: publishedIn(authority.upstreamAuthoritySubjectKeyId || authority.authorityId),
        upstream_authority_subject_key_id: authority.upstreamAuthoritySubjectKeyId,
      },
    ];
  });
}

function readable(rows: readonly Row[], context: CliContext, wide: boolean): string {
  return table(
    rows,
    [
      { title: 'KIND', cell: ({ kind }) => kind },
      { title: 'ROLE', cell: ({ role }) => role },
      { title: 'AUTHORITY', cell: ({ authority_id }) => authority_id },
      { title: 'EXPIRES', cell: ({ expires_at }) => expiry(expires_at, context.now()) },
      { title: 'BUNDLE', cell: ({ bundle }) => bundle },
      { title: 'SIGNED BY', cell: (row) => row.upstream_authority_subject_key_id || '-', wide: true },
    ],
    { wide, colour: context.colour },
  );
}
