import type { Suite } from '../spire/suite.ts';
import { acme } from './acme.ts';
import { adminEndpoints } from './admin-endpoints.ts';
import { agentCli } from './agent-cli.ts';
import { agentTakeover } from './agent-takeover.ts';
import { authorityRotate } from './authority-rotate.ts';
import { bootstrap } from './bootstrap.ts';
import { cloudAttestors } from './cloud-attestors.ts';
import { debugEndpoints } from './debug-endpoints.ts';
import { delegatedIdentity } from './delegatedidentity.ts';
import { downstreamEndpoints } from './downstream-endpoints.ts';
import { entries } from './entries.ts';
import { entryAttributes } from './entry-attributes.ts';
import { eventsBasedEntries } from './events-based-entries.ts';
import { evictAgent } from './evict-agent.ts';
import { bundleEndpoints, federation } from './federation.ts';
import { fetchJwtSvids } from './fetch-jwt-svids.ts';
import { fetchWitSvids } from './fetch-wit-svids.ts';
import { fetchX509Svids } from './fetch-x509-svids.ts';
import { forceRotationJwtAuthority } from './force-rotation-jwt-authority.ts';
import { forceRotationNested } from './force-rotation-nested.ts';
import { forceRotationUpstreamAuthority } from './force-rotation-upstream-authority.ts';
import { forceRotationX509Authority } from './force-rotation-x509-authority.ts';
import { httpChallenge, httpChallengeAgain } from './http-challenge.ts';
import { joinToken, joinTokenBeside } from './join-token.ts';
import { keyTypes } from './key-types.ts';
import { localAuthority } from './local-authority.ts';
import { migrate } from './migrate.ts';
import { mixedAgents } from './mixed-agents.ts';
import { nestedRotation } from './nested-rotation.ts';
import { nodeAttestation } from './node-attestation.ts';
import { nodeReAttestation } from './node-re-attestation.ts';
import { oidcDiscoveryProvider } from './oidc-discovery-provider.ts';
import { postQuantum } from './post-quantum.ts';
import { rebootstrap } from './rebootstrap.ts';
import { agentRestarts, agentRotation, serverRestarts } from './restarts.ts';
import { rotation } from './rotation.ts';
import { sshpop, sshpopSha1 } from './sshpop.ts';
import { svidStore } from './svidstore.ts';
import { syncAuthorizedEntries } from './sync-authorized-entries.ts';
import { tpmDevId, tpmDevIdLies } from './tpm-devid.ts';
import { upgrade } from './upgrade.ts';
import { x509popExchange, x509popWays } from './x509pop-ways.ts';

export const suites: readonly Suite[] = [
  joinToken,
  bootstrap,
  entryAttributes,
  keyTypes,
  postQuantum,
  nodeAttestation,
  nodeReAttestation,
  tpmDevId,
  tpmDevIdLies,
  ...cloudAttestors,
  joinTokenBeside,
  x509popWays,
  x509popExchange,
  sshpop,
  sshpopSha1,
  httpChallenge,
  httpChallengeAgain,
  evictAgent,
  entries,
  eventsBasedEntries,
  syncAuthorizedEntries,
  fetchX509Svids,
  fetchJwtSvids,
  fetchWitSvids,
  adminEndpoints,
  downstreamEndpoints,
  debugEndpoints,
  agentCli,
  delegatedIdentity,
  svidStore,
  oidcDiscoveryProvider,
  migrate,
  upgrade,
  agentTakeover,
  mixedAgents,
  serverRestarts,
  agentRestarts,
  agentRotation,
  rebootstrap,
  forceRotationJwtAuthority,
  forceRotationX509Authority,
  forceRotationUpstreamAuthority,
  ...forceRotationNested,
  ...localAuthority,
  authorityRotate,
  rotation,
  ...nestedRotation,
  bundleEndpoints,
  acme,
  federation,
];
