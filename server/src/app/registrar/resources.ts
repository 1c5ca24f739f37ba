import { NODES, PODS, type ResourceType } from '@steeple/daemon/kubernetes';

const registration = (plural: string): ResourceType => ({
  group: 'spire.spiffe.io',
  version: 'v1alpha1',
  plural,
  namespaced: false,
});

/** What the registrar follows. */
export const FOLLOWED = {
  pods: PODS,
  nodes: NODES,
  namespaces: { group: '', version: 'v1', plural: 'namespaces', namespaced: false },
  endpointSlices: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', namespaced: true },
  clusterSpiffeIds: registration('clusterspiffeids'),
  clusterStaticEntries: registration('clusterstaticentries'),
  federatedTrustDomains: registration('clusterfederatedtrustdomains'),
} as const satisfies Readonly<Record<string, ResourceType>>;

export type FollowedKind = keyof typeof FOLLOWED;
