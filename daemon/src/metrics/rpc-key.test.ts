import { describe, expect, it } from 'vitest';
import { rpcKey } from './rpc-key.ts';

describe('the metric of a gRPC method', () => {
  it.each([
    ['/spire.api.server.svid.v1.SVID/BatchNewX509SVID', 'rpc.svid.v1.svid.batch_new_x509svid'],
    ['/spire.api.server.agent.v1.Agent/AttestAgent', 'rpc.agent.v1.agent.attest_agent'],
    ['/spire.api.server.entry.v1.Entry/SyncAuthorizedEntries', 'rpc.entry.v1.entry.sync_authorized_entries'],
    ['/spire.api.server.trustdomain.v1.TrustDomain/RefreshBundle', 'rpc.trustdomain.v1.trust_domain.refresh_bundle'],
    [
      '/spire.api.server.localauthority.v1.LocalAuthority/GetJWTAuthorityState',
      'rpc.localauthority.v1.local_authority.get_jwt_authority_state',
    ],
    ['/SpiffeWorkloadAPI/FetchX509SVID', 'rpc.workload_api.fetch_x509svid'],
    ['/SpiffeWorkloadAPI/FetchJWTBundles', 'rpc.workload_api.fetch_jwt_bundles'],
    ['/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets', 'rpc.sds.v3.stream_secrets'],
    ['/grpc.health.v1.Health/Check', 'rpc.health.check'],
    [
      '/spire.api.agent.delegatedidentity.v1.DelegatedIdentity/SubscribeToX509SVIDs',
      'rpc.delegated_identity.subscribe_to_x509_svids',
    ],
    ['/spire.api.server.logger.v1.Logger/SetLogLevel', 'rpc.logger.set_log_level'],
    ['/spire.agent.debug.v1.Debug/GetInfo', 'rpc.debug.get_info'],
    ['/spire.api.agent.delegatedidentity.v1.DelegatedIdentity/FetchJWTSVIDs', 'rpc.delegated_identity.fetch_jwtsvi_ds'],
    ['/spire.api.server.svid.v1.SVID/NewDownstreamX509CA', 'rpc.svid.v1.svid.new_downstream_x509ca'],
    ['/steeple.sync.v1.Sync/Watch', 'rpc.steeple.sync.v1.sync.watch'],
  ])('%s', (path, key) => {
    expect(rpcKey(path)).toBe(key);
  });
});
