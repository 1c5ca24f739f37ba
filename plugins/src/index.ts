export type { BundlePublisher } from './bundle-publisher/bundle-publisher.ts';
export { loadPlugin, pluginNames } from './catalog.ts';
export type { AgentStore } from './datastore/agent-store.ts';
export type { AuthorityJournal } from './datastore/authority-journal.ts';
export type { BundleDeleteMode, BundleExpectation, BundleStore } from './datastore/bundle-store.ts';
export type { Changed, Datastore, StoreChange } from './datastore/datastore.ts';
export type { CreatedEntry, EntryStore } from './datastore/entry-store.ts';
export type { FederationStore } from './datastore/federation-store.ts';
export type { JoinToken, JoinTokenStore } from './datastore/join-token-store.ts';
export type { Page, PageRequest } from './datastore/page.ts';
export type {
  Decision,
  DecisionEngine,
  DecisionPoint,
  DecisionRequest,
  PolicySource,
} from './decision-engine/decision-engine.ts';
export type { KeyManager, SigningKey } from './key-manager/key-manager.ts';
export type { AttestationChannel, NodeProver, NodeVerifier, VerifiedNode } from './node-attestor/node-attestor.ts';
export type { NodeVerifierHost, PluginDefinition, PluginHost, PluginKind, PluginKinds } from './plugin.ts';
export type { StorableSvid, SvidStore } from './svid-store/svid-store.ts';
export type { MintedCa, UpstreamAuthority } from './upstream-authority/upstream-authority.ts';
export { podOf } from './workload-attestor/k8s/pod.ts';
export { namespaceSelectors, podSelectors } from './workload-attestor/k8s/pod-selectors.ts';
export type { WorkloadAttestor } from './workload-attestor/workload-attestor.ts';
