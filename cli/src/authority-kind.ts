import type { ServiceClient } from '@steeple/proto/grpc';
import { localauthorityV1 } from '@steeple/proto/server-api';
import { UserError } from './exit.ts';
import { onServer } from './server-client.ts';
import type { CliContext, Options } from './verb.ts';

const KINDS = ['x509', 'jwt', 'wit'] as const;
export type AuthorityKind = (typeof KINDS)[number];
export type AuthorityState = localauthorityV1.AuthorityState;

/** The authorities of one kind by their role. */
export interface KindState {
  readonly active?: AuthorityState | undefined;
  readonly prepared?: AuthorityState | undefined;
  readonly old?: AuthorityState | undefined;
}

/** The five calls about one kind of authority. */
export interface KindCalls {
  state(): Promise<KindState>;
  prepare(): Promise<AuthorityState | undefined>;
  activate(authorityId: string): Promise<AuthorityState | undefined>;
  taint(authorityId: string): Promise<AuthorityState | undefined>;
  revoke(authorityId: string): Promise<AuthorityState | undefined>;
}

/** Longer than a server waits for its agents before it lets an authority sign, seconds. */
const ACTIVATION_PATIENCE = 90;

type Client = ServiceClient<typeof localauthorityV1.LocalAuthority>;

export function authorityKind(text: string | undefined): AuthorityKind {
  const kind = KINDS.find((one) => one === text);
  if (kind === undefined) throw new UserError(`'${text ?? ''}' is no kind of authority`, `use ${KINDS.join(', ')}`);
  return kind;
}

/** The kinds to show: the named one, or all. */
export function authorityKinds(text: string | undefined): readonly AuthorityKind[] {
  return text === undefined ? KINDS : [authorityKind(text)];
}

/** Calls the server about one kind of authority. */
export function onAuthority<T>(
  kind: AuthorityKind,
  options: Options,
  context: CliContext,
  use: (calls: KindCalls) => Promise<T>,
): Promise<T> {
  const calls = CALLS[kind];
  const patience = ACTIVATION_PATIENCE;
  return onServer(localauthorityV1.LocalAuthority, options, context, (client) => use(calls(client)), { patience });
}

const CALLS: Readonly<Record<AuthorityKind, (client: Client) => KindCalls>> = {
  x509: (client) => ({
    state: () => client.getX509AuthorityState({}),
    prepare: async () => (await client.prepareX509Authority({})).preparedAuthority,
    activate: async (authorityId) => (await client.activateX509Authority({ authorityId })).activatedAuthority,
    taint: async (authorityId) => (await client.taintX509Authority({ authorityId })).taintedAuthority,
    revoke: async (authorityId) => (await client.revokeX509Authority({ authorityId })).revokedAuthority,
  }),
  jwt: (client) => ({
    state: () => client.getJWTAuthorityState({}),
    prepare: async () => (await client.prepareJWTAuthority({})).preparedAuthority,
    activate: async (authorityId) => (await client.activateJWTAuthority({ authorityId })).activatedAuthority,
    taint: async (authorityId) => (await client.taintJWTAuthority({ authorityId })).taintedAuthority,
    revoke: async (authorityId) => (await client.revokeJWTAuthority({ authorityId })).revokedAuthority,
  }),
  wit: (client) => ({
    state: () => client.getWITAuthorityState({}),
    prepare: async () => (await client.prepareWITAuthority({})).preparedAuthority,
    activate: async (authorityId) => (await client.activateWITAuthority({ authorityId })).activatedAuthority,
    taint: async (authorityId) => (await client.taintWITAuthority({ authorityId })).taintedAuthority,
    revoke: async (authorityId) => (await client.revokeWITAuthority({ authorityId })).revokedAuthority,
  }),
};
