import type { SpiffeId, TrustDomain } from '@steeple/spiffe';

/** How a bundle endpoint proves who it is. */
export type EndpointProfile =
  | { readonly kind: 'https_web' }
  | { readonly kind: 'https_spiffe'; readonly endpointSpiffeId: SpiffeId };

/** Where another trust domain publishes its bundle (SPIFFE Federation 5). */
export interface FederationRelationship {
  readonly trustDomain: TrustDomain;
  readonly bundleEndpointUrl: string;
  readonly profile: EndpointProfile;
}
