export {
  CALLER_ORDER,
  type CallerKind,
  kindsToTry,
  METHODS,
  type MethodRule,
  methodRule,
  type RateClass,
} from './access.ts';
export { agentId, isAgentPath, isReservedPath, SERVER_PATH, serverId } from './agent-id.ts';
export { type AgentRecord, type AgentVerdict, isBanned, judgeAgent } from './agent-record.ts';
export {
  type AuthorityKind,
  type AuthoritySlot,
  type AuthoritySlots,
  type AuthorityState,
  type AuthorityStatus,
  activeAuthority,
  authorityState,
  freeSlot,
  type NewAuthority,
  NO_AUTHORITIES,
  otherAuthority,
} from './authority.ts';
export {
  type AuthorityContext,
  activateAuthority,
  prepareAuthority,
  pruneAuthorities,
  requireRevocable,
  taintAuthority,
} from './authority-changes.ts';
export {
  type AddedAuthorities,
  appendAuthorities,
  pruneBundle,
  revokeInBundle,
  taintInBundle,
} from './bundle-changes.ts';
export { checkEntry, checkEntryId, checkSelector } from './check-entry.ts';
export { dnsNameProblem, wildcardOverlap } from './dns-name.ts';
export { draftEntry, type EntryDraft, type RegistrationEntry, similarityKey } from './entry.ts';
export {
  type AgentFilter,
  type EntryFilter,
  matchesAgent,
  matchesEntry,
  type SelectorFilter,
} from './entry-filter.ts';
export {
  answerSyncRequest,
  checkFirstSyncRequest,
  chunkIds,
  diffRevisions,
  type EntryDelta,
  type EntryRevision,
  isStale,
  planSync,
  SYNC_PAGE,
  type SyncPage,
  type SyncPlan,
} from './entry-sync.ts';
export { concerns, type EntryReach, EntryTree, isAlias } from './entry-tree.ts';
export { type AgentReason, IssuerError, type IssuerErrorCode } from './errors.ts';
export { takeFetchedBundle } from './federated-bundle.ts';
export {
  checkFederationRelationship,
  type EndpointProfile,
  endpointUrlProblem,
  type FederationRelationship,
} from './federation.ts';
export { type FollowedUpstream, followUpstream, type UpstreamTrust } from './follow-upstream.ts';
export {
  visibleIdentities,
  type WorkloadIdentity,
  type WorkloadUpdate,
  workloadUpdate,
} from './identity-update.ts';
export { checkJoinToken, type JoinToken } from './join-token.ts';
export {
  type AuthorityLife,
  effectiveTtl,
  LIFETIMES,
  longestUncutTtl,
  mustActivate,
  rotateAt,
  rotateForAvailability,
  shouldActivate,
  shouldPrepare,
  svidValidity,
  tokenValidity,
  type Validity,
} from './lifetime.ts';
export { LIMITS } from './limits.ts';
export { requireAgent, requireMember, requireWorkload } from './member-id.ts';
export { type DeclaredEntry, type EntryPlan, planEntries } from './objects/entry-plan.ts';
export type { ObjectProblem } from './objects/object-fields.ts';
export {
  isOwnEntryId,
  MOST_OWNED,
  ownedRelationships,
  ownershipRecord,
  ownershipRecordId,
} from './objects/ownership.ts';
export {
  PARENT_ID_TEMPLATE,
  type PodPlace,
  renderParent,
  renderPodEntry,
  type ServiceName,
} from './objects/pod-entry.ts';
export { readRegistrationObject } from './objects/read-object.ts';
export {
  type ClusterFederatedTrustDomain,
  type ClusterSpiffeId,
  type ClusterStaticEntry,
  OBJECT_API_VERSION,
  ObjectError,
  type RegistrationObject,
} from './objects/registration-object.ts';
export { type FieldKind, GoStruct, type StructType } from './objects/template/go-value.ts';
export type { ClusterNames, RawObject } from './objects/template/kubernetes-types.ts';
export { Template } from './objects/template/template.ts';
export {
  compareSelectors,
  dedupeSelectors,
  formatSelector,
  isSubset,
  matchSelectors,
  matchSets,
  parseSelector,
  type Selector,
  type SelectorMatch,
  selectorSet,
  sortSelectors,
} from './selector.ts';
export { type Selected, SelectorIndex } from './selector-index.ts';
export { requireOldUpstream, taintUnderUpstream } from './upstream-authority-changes.ts';
export { utf8Length } from './utf8-length.ts';
