import { describe, expect, it } from 'vitest';
import { type CallerKind, kindsToTry, METHODS, methodRule, type RateClass } from './access.ts';

/** Column by column, as the administrators' manual has it. */
const COLUMNS: readonly [string, readonly CallerKind[]][] = [
  ['agent.v1.Agent/AttestAgent', ['any']],
  ['bundle.v1.Bundle/GetBundle', ['any']],
  ['agent.v1.Agent/RenewAgent', ['agent']],
  ['agent.v1.Agent/PostStatus', ['agent']],
  ['entry.v1.Entry/GetAuthorizedEntries', ['agent']],
  ['entry.v1.Entry/SyncAuthorizedEntries', ['agent']],
  ['svid.v1.SVID/BatchNewX509SVID', ['agent']],
  ['svid.v1.SVID/NewJWTSVID', ['agent']],
  ['svid.v1.SVID/BatchNewWITSVID', ['agent']],
  ['bundle.v1.Bundle/GetFederatedBundle', ['local', 'admin', 'agent']],
  ['svid.v1.SVID/NewDownstreamX509CA', ['downstream']],
  ['bundle.v1.Bundle/PublishJWTAuthority', ['downstream']],
  ['bundle.v1.Bundle/PublishWITAuthority', ['downstream']],
  ...['X509', 'JWT', 'WIT'].map((kind): [string, CallerKind[]] => [`svid.v1.SVID/Mint${kind}SVID`, ['local', 'admin']]),
  ...words('CountEntries ListEntries GetEntry BatchCreateEntry BatchUpdateEntry BatchDeleteEntry', 'entry.v1.Entry'),
  ...words('CountAgents ListAgents GetAgent DeleteAgent BanAgent CreateJoinToken', 'agent.v1.Agent'),
  ...words('CountBundles AppendBundle ListFederatedBundles BatchCreateFederatedBundle', 'bundle.v1.Bundle'),
  ...words('BatchUpdateFederatedBundle BatchSetFederatedBundle BatchDeleteFederatedBundle', 'bundle.v1.Bundle'),
  ...words('ListFederationRelationships GetFederationRelationship', 'trustdomain.v1.TrustDomain'),
  ...words('BatchCreateFederationRelationship BatchUpdateFederationRelationship', 'trustdomain.v1.TrustDomain'),
  ...words('BatchDeleteFederationRelationship RefreshBundle', 'trustdomain.v1.TrustDomain'),
  ['debug.v1.Debug/GetInfo', ['local']],
  ['logger.v1.Logger/GetLogger', ['local']],
  ['logger.v1.Logger/SetLogLevel', ['local']],
  ['logger.v1.Logger/ResetLogLevel', ['local']],
];

function words(names: string, service: string): [string, readonly CallerKind[]][] {
  return names.split(' ').map((name) => [`${service}/${name}`, ['local', 'admin']]);
}

describe('METHODS', () => {
  it.each(COLUMNS)('%s: %j', (name, kinds) => {
    expect(kindsToTry(`/spire.api.server.${name}`)).toEqual(kinds);
  });

  it('has 17 methods of LocalAuthority, for administrators', () => {
    const names = Object.keys(METHODS).filter((name) => name.includes('LocalAuthority/'));
    expect(names).toHaveLength(17);
    for (const name of names) expect(kindsToTry(name)).toEqual(['local', 'admin']);
  });

  it('has no row beyond those, our own stream and health', () => {
    expect(Object.keys(METHODS)).toHaveLength(COLUMNS.length + 17 + 2 + 3);
    expect(kindsToTry('/steeple.sync.v1.Sync/Watch')).toEqual(['agent']);
    expect(kindsToTry('/steeple.rollout.v1.Rollout/ListHolders')).toEqual(['local', 'admin']);
    expect(kindsToTry('/grpc.health.v1.Health/Check')).toEqual(['local']);
  });

  it('limits exactly the methods that cost', () => {
    const limited = Object.entries(METHODS).flatMap(([name, { rate }]) =>
      rate === undefined ? [] : [[name.split('/')[2], rate]],
    );
    const expected: Record<string, RateClass> = {
      AttestAgent: 'attest',
      RenewAgent: 'sign-x509',
      BatchNewX509SVID: 'sign-x509',
      NewDownstreamX509CA: 'sign-x509',
      NewJWTSVID: 'sign-jwt',
      BatchNewWITSVID: 'sign-wit',
      PublishJWTAuthority: 'publish',
      PublishWITAuthority: 'publish',
      PostStatus: 'post-status',
    };
    expect(Object.fromEntries(limited)).toEqual(expected);
  });

  it('audits everything but health checks', () => {
    for (const [name, rule] of Object.entries(METHODS)) {
      expect([name, rule.audited]).toEqual([name, !name.startsWith('/grpc.health')]);
    }
  });

  it.each([
    '',
    '/',
    '/spire.api.server.agent.v1.Agent/Nothing',
    '/spire.api.server.agent.v1.Agent/attestAgent',
    'spire.api.server.agent.v1.Agent/AttestAgent',
    '/spire.api.server.agent.v1.Agent/AttestAgent/',
    'constructor',
    '__proto__',
    'toString',
  ])('has no row for %j', (name) => {
    expect(methodRule(name)).toBeUndefined();
    expect(kindsToTry(name)).toEqual([]);
  });
});
