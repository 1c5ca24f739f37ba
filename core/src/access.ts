/** How a caller was recognised. `local` came through the admin socket. */
export type CallerKind = 'any' | 'local' | 'agent' | 'admin' | 'downstream';

/** Which token bucket a call draws from. */
export type RateClass = 'attest' | 'sign-x509' | 'sign-jwt' | 'sign-wit' | 'publish' | 'post-status';

/** Who may call a method, what it costs, and whether the call is written to the audit log. */
export interface MethodRule {
  /** In the order in which a caller is tried against them. */
  readonly allow: readonly CallerKind[];
  readonly rate?: RateClass;
  readonly audited: boolean;
}

/** The order in which a caller is tried against a rule; the first kind that fits decides. */
export const CALLER_ORDER: readonly CallerKind[] = ['any', 'local', 'admin', 'downstream', 'agent'];

/** Every method the server answers; a method without a row is refused. */
export const METHODS: Readonly<Record<string, MethodRule>> = Object.freeze({
  ...rows('spire.api.server.agent.v1.Agent', {
    AttestAgent: { allow: ['any'], rate: 'attest' },
    RenewAgent: { allow: ['agent'], rate: 'sign-x509' },
    PostStatus: { allow: ['agent'], rate: 'post-status' },
    ...each(
      ['CountAgents', 'ListAgents', 'GetAgent', 'DeleteAgent', 'BanAgent', 'CreateJoinToken'],
      ['local', 'admin'],
    ),
  }),
  ...rows('spire.api.server.bundle.v1.Bundle', {
    GetBundle: { allow: ['any'] },
    GetFederatedBundle: { allow: ['local', 'admin', 'agent'] },
    ...each(['CountBundles', 'AppendBundle', 'ListFederatedBundles'], ['local', 'admin']),
    ...each(['BatchCreateFederatedBundle', 'BatchUpdateFederatedBundle'], ['local', 'admin']),
    ...each(['BatchSetFederatedBundle', 'BatchDeleteFederatedBundle'], ['local', 'admin']),
    PublishJWTAuthority: { allow: ['downstream'], rate: 'publish' },
    PublishWITAuthority: { allow: ['downstream'], rate: 'publish' },
  }),
  ...rows('spire.api.server.entry.v1.Entry', {
    ...each(['GetAuthorizedEntries', 'SyncAuthorizedEntries'], ['agent']),
    ...each(['CountEntries', 'ListEntries', 'GetEntry'], ['local', 'admin']),
    ...each(['BatchCreateEntry', 'BatchUpdateEntry', 'BatchDeleteEntry'], ['local', 'admin']),
  }),
  ...rows('spire.api.server.svid.v1.SVID', {
    BatchNewX509SVID: { allow: ['agent'], rate: 'sign-x509' },
    NewJWTSVID: { allow: ['agent'], rate: 'sign-jwt' },
    BatchNewWITSVID: { allow: ['agent'], rate: 'sign-wit' },
    NewDownstreamX509CA: { allow: ['downstream'], rate: 'sign-x509' },
    ...each(['MintX509SVID', 'MintJWTSVID', 'MintWITSVID'], ['local', 'admin']),
  }),
  ...rows(
    'spire.api.server.trustdomain.v1.TrustDomain',
    each(
      [
        'ListFederationRelationships',
        'GetFederationRelationship',
        'BatchCreateFederationRelationship',
        'BatchUpdateFederationRelationship',
        'BatchDeleteFederationRelationship',
        'RefreshBundle',
      ],
      ['local', 'admin'],
    ),
  ),
  ...rows('spire.api.server.localauthority.v1.LocalAuthority', each(localAuthorityMethods(), ['local', 'admin'])),
  ...rows('spire.api.server.debug.v1.Debug', each(['GetInfo'], ['local'])),
  ...rows('spire.api.server.logger.v1.Logger', each(['GetLogger', 'SetLogLevel', 'ResetLogLevel'], ['local'])),
  ...rows('steeple.sync.v1.Sync', each(['Watch'], ['agent'])),
  ...rows('steeple.rollout.v1.Rollout', each(['ListHolders'], ['local', 'admin'])),
  ...rows('grpc.health.v1.Health', each(['Check', 'List', 'Watch'], ['local']), false),
});

/** The rule of a full method name (`/package.Service/Method`), or nothing: refuse. */
export function methodRule(fullMethod: string): MethodRule | undefined {
  return Object.hasOwn(METHODS, fullMethod) ? METHODS[fullMethod] : undefined;
}

/** The kinds to try for a method, in order; empty when the method has no row. */
export function kindsToTry(fullMethod: string): readonly CallerKind[] {
  return methodRule(fullMethod)?.allow ?? [];
}

type Row = Omit<MethodRule, 'audited'>;

function rows(service: string, methods: Record<string, Row>, audited = true): Record<string, MethodRule> {
  return Object.fromEntries(
    Object.entries(methods).map(([name, row]) => {
      const allow = CALLER_ORDER.filter((kind) => row.allow.includes(kind));
      return [`/${service}/${name}`, Object.freeze({ ...row, allow, audited })];
    }),
  );
}

function each(names: readonly string[], allow: readonly CallerKind[]): Record<string, Row> {
  return Object.fromEntries(names.map((name) => [name, { allow }]));
}

function localAuthorityMethods(): string[] {
  const perKind = ['X509', 'JWT', 'WIT'].flatMap((kind) => [
    `Get${kind}AuthorityState`,
    ...['Prepare', 'Activate', 'Taint', 'Revoke'].map((verb) => `${verb}${kind}Authority`),
  ]);
  return [...perKind, 'TaintX509UpstreamAuthority', 'RevokeX509UpstreamAuthority'];
}
