import type { DescMessage, DescService } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import * as agentApi from './agent-api.ts';
import * as envoy from './envoy.ts';
import * as infra from './infra.ts';
import * as serverApi from './server-api.ts';
import { syncV1 } from './steeple-api.ts';
import * as workload from './workload.ts';

/** `>` client stream, `<` server stream; unary has none. */
const arrows = { unary: '', server_streaming: '<', client_streaming: '>', bidi_streaming: '><' };
const paths = (service: DescService): string[] =>
  service.methods.map((m) => `/${service.typeName}/${m.name}${arrows[m.methodKind]}`);
const all = (prefix: string, names: string): string[] => names.split(' ').map((name) => `${prefix}/${name}`);
/** name=number of every field. */
const numbers = (message: DescMessage): string => message.fields.map((f) => `${f.name}=${f.number}`).join(' ');

describe('paths on the wire', () => {
  it.each([
    [
      workload.SpiffeWorkloadAPI,
      '/SpiffeWorkloadAPI',
      'FetchX509SVID< FetchX509Bundles< FetchJWTSVID FetchJWTBundles< ValidateJWTSVID FetchWITSVID< FetchWITBundles<',
    ],
    [
      serverApi.agentV1.Agent,
      '/spire.api.server.agent.v1.Agent',
      'CountAgents ListAgents GetAgent DeleteAgent BanAgent AttestAgent>< RenewAgent CreateJoinToken PostStatus',
    ],
    [
      serverApi.bundleV1.Bundle,
      '/spire.api.server.bundle.v1.Bundle',
      'CountBundles GetBundle AppendBundle PublishJWTAuthority PublishWITAuthority ListFederatedBundles GetFederatedBundle ' +
        'BatchCreateFederatedBundle BatchUpdateFederatedBundle BatchSetFederatedBundle BatchDeleteFederatedBundle',
    ],
    [serverApi.debugV1.Debug, '/spire.api.server.debug.v1.Debug', 'GetInfo'],
    [
      serverApi.entryV1.Entry,
      '/spire.api.server.entry.v1.Entry',
      'CountEntries ListEntries GetEntry BatchCreateEntry BatchUpdateEntry BatchDeleteEntry GetAuthorizedEntries SyncAuthorizedEntries><',
    ],
    [
      serverApi.localauthorityV1.LocalAuthority,
      '/spire.api.server.localauthority.v1.LocalAuthority',
      'GetJWTAuthorityState PrepareJWTAuthority ActivateJWTAuthority TaintJWTAuthority RevokeJWTAuthority ' +
        'GetX509AuthorityState PrepareX509Authority ActivateX509Authority TaintX509Authority TaintX509UpstreamAuthority ' +
        'RevokeX509Authority RevokeX509UpstreamAuthority ' +
        'GetWITAuthorityState PrepareWITAuthority ActivateWITAuthority TaintWITAuthority RevokeWITAuthority',
    ],
    [serverApi.loggerV1.Logger, '/spire.api.server.logger.v1.Logger', 'GetLogger SetLogLevel ResetLogLevel'],
    [
      serverApi.svidV1.SVID,
      '/spire.api.server.svid.v1.SVID',
      'MintX509SVID MintJWTSVID MintWITSVID BatchNewX509SVID NewJWTSVID BatchNewWITSVID NewDownstreamX509CA',
    ],
    [
      serverApi.trustdomainV1.TrustDomain,
      '/spire.api.server.trustdomain.v1.TrustDomain',
      'ListFederationRelationships GetFederationRelationship BatchCreateFederationRelationship ' +
        'BatchUpdateFederationRelationship BatchDeleteFederationRelationship RefreshBundle',
    ],
    [agentApi.debugV1.Debug, '/spire.agent.debug.v1.Debug', 'GetInfo'],
    [
      agentApi.delegatedidentityV1.DelegatedIdentity,
      '/spire.api.agent.delegatedidentity.v1.DelegatedIdentity',
      'SubscribeToX509SVIDs< SubscribeToX509Bundles< FetchJWTSVIDs SubscribeToJWTBundles<',
    ],
    [agentApi.loggerV1.Logger, '/spire.api.agent.logger.v1.Logger', 'GetLogger SetLogLevel ResetLogLevel'],
    [
      agentApi.broker.API,
      '/spiffe.broker.API',
      'SubscribeToX509SVID< SubscribeToX509Bundles< FetchJWTSVID SubscribeToJWTBundles<',
    ],
    [syncV1.Sync, '/steeple.sync.v1.Sync', 'Watch<'],
    [
      envoy.SecretDiscoveryService,
      '/envoy.service.secret.v3.SecretDiscoveryService',
      'DeltaSecrets>< StreamSecrets>< FetchSecrets',
    ],
    [infra.healthV1.Health, '/grpc.health.v1.Health', 'Check List Watch<'],
    [infra.reflectionV1.ServerReflection, '/grpc.reflection.v1.ServerReflection', 'ServerReflectionInfo><'],
    [infra.reflectionV1alpha.ServerReflection, '/grpc.reflection.v1alpha.ServerReflection', 'ServerReflectionInfo><'],
  ])('%#: %s', (service, prefix, names) => {
    expect(paths(service)).toEqual(all(prefix, names));
  });
});

describe('field numbers that are easy to get wrong', () => {
  const { types, svidV1, agentV1 } = serverApi;
  it.each([
    [
      types.EntrySchema,
      'id=1 spiffe_id=2 parent_id=3 selectors=4 x509_svid_ttl=5 federates_with=6 admin=7 downstream=8 expires_at=9 dns_names=10 ' +
        'revision_number=11 store_svid=12 jwt_svid_ttl=13 hint=14 created_at=15 additional_attributes=16',
    ],
    [
      types.BundleSchema,
      'trust_domain=1 x509_authorities=2 jwt_authorities=3 refresh_hint=4 sequence_number=5 wit_authorities=6',
    ],
    [types.FederationRelationshipMaskSchema, 'bundle_endpoint_url=1 bundle_endpoint_profile=2 trust_domain_bundle=3'],
    [
      types.AgentMaskSchema,
      'attestation_type=2 x509svid_serial_number=3 x509svid_expires_at=4 selectors=5 banned=6 can_reattest=7 agent_version=8',
    ],
    [agentV1.AttestAgentRequestSchema, 'params=1 challenge_response=2'],
    [svidV1.MintWITSVIDRequestSchema, 'id=1 public_key=2 ttl=3 signing_algorithm=4'],
    [workload.JWTSVIDRequestSchema, 'audience=1 spiffe_id=2'],
    [workload.X509SVIDSchema, 'spiffe_id=1 x509_svid=2 x509_svid_key=3 bundle=4 hint=5'],
    [workload.WITSVIDSchema, 'spiffe_id=1 wit_svid=2 wit_svid_key=3 hint=4'],
    [agentApi.broker.FetchJWTSVIDRequestSchema, 'reference=1 audience=2 spiffe_id=3'],
    [infra.StatusSchema, 'code=1 message=2 details=3'],
    [envoy.DiscoveryRequestSchema, 'version_info=1 node=2 resource_names=3 type_url=4 response_nonce=5 error_detail=6'],
    [envoy.DiscoveryResponseSchema, 'version_info=1 resources=2 type_url=4 nonce=5'],
    [envoy.SecretSchema, 'name=1 tls_certificate=2 validation_context=4'],
    [envoy.CertificateValidationContextSchema, 'trusted_ca=1 custom_validator_config=12'],
    [envoy.NodeSchema, 'id=1 cluster=2 metadata=3 user_agent_name=6 user_agent_version=7 user_agent_build_version=8'],
  ])('%s', (schema, expected) => {
    expect(numbers(schema)).toBe(expected);
  });
});
