import type { MessageInitShape } from '@bufbuild/protobuf';
import { endpointUrlProblem, type FederationRelationship, IssuerError } from '@steeple/core';
import type { types } from '@steeple/proto/server-api';
import { SpiffeId, type TrustBundle } from '@steeple/spiffe';
import { readBundle, wireBundle } from './bundle.ts';
import { orInvalid, prefixed, readTrustDomain } from './spiffe-id.ts';

export type RelationshipMask = Readonly<
  Record<keyof Omit<types.FederationRelationshipMask, '$typeName' | '$unknown'>, boolean>
>;

type WireRelationship = Exclude<
  MessageInitShape<typeof types.FederationRelationshipSchema>,
  types.FederationRelationship
>;

/** The wire form of a relationship, with the other domain's bundle as it is stored now. */
export const wireRelationship = (
  relationship: FederationRelationship,
  bundle: TrustBundle | undefined,
  mask?: RelationshipMask,
): WireRelationship => {
  const wire: WireRelationship = { trustDomain: relationship.trustDomain.name };
  if (!mask || mask.bundleEndpointUrl) wire.bundleEndpointUrl = relationship.bundleEndpointUrl;
  if (!mask || mask.bundleEndpointProfile) wire.bundleEndpointProfile = wireProfile(relationship);
  if (bundle && (!mask || mask.trustDomainBundle)) wire.trustDomainBundle = wireBundle(bundle);
  return wire;
};

const wireProfile = ({ profile }: FederationRelationship): NonNullable<WireRelationship['bundleEndpointProfile']> =>
  profile.kind === 'https_web'
    ? { case: 'httpsWeb' as const, value: {} }
    : { case: 'httpsSpiffe' as const, value: { endpointSpiffeId: profile.endpointSpiffeId.toString() } };

/** Reads a relationship and the bundle that may come with it. @throws {IssuerError} `invalid-argument` */
export const readRelationship = (
  wire: types.FederationRelationship,
): { relationship: FederationRelationship; bundle?: TrustBundle } =>
  prefixed('failed to convert federation relationship', () => {
    const trustDomain = prefixed('failed to parse trust domain', () => readTrustDomain(wire.trustDomain));
    const relationship = {
      trustDomain,
      bundleEndpointUrl: readUrl(wire.bundleEndpointUrl),
      profile: readProfile(wire),
    };
    if (!wire.trustDomainBundle) return { relationship };
    const bundle = readBundle(wire.trustDomainBundle);
    if (!bundle.trustDomain.equals(trustDomain)) {
      throw new IssuerError(
        'invalid-argument',
        `trust domain bundle ("${bundle.trustDomain.name}") must match the trust domain of the federation relationship ("${trustDomain.name}")`,
      );
    }
    return { relationship, bundle };
  });

/** The stored relationship with the fields of the mask taken from the given one. */
export const maskedRelationship = (
  stored: FederationRelationship,
  given: FederationRelationship,
  mask?: RelationshipMask,
): FederationRelationship => ({
  trustDomain: stored.trustDomain,
  bundleEndpointUrl: !mask || mask.bundleEndpointUrl ? given.bundleEndpointUrl : stored.bundleEndpointUrl,
  profile: !mask || mask.bundleEndpointProfile ? given.profile : stored.profile,
});

const readUrl = (text: string): string => {
  const problem = endpointUrlProblem(text);
  if (problem !== undefined) throw new IssuerError('invalid-argument', problem);
  return text;
};

const readProfile = ({ bundleEndpointProfile }: types.FederationRelationship): FederationRelationship['profile'] => {
  switch (bundleEndpointProfile.case) {
    case 'httpsWeb':
      return { kind: 'https_web' };
    case 'httpsSpiffe': {
      const { endpointSpiffeId } = bundleEndpointProfile.value;
      return prefixed('failed to parse endpoint SPIFFE ID', () => ({
        kind: 'https_spiffe',
        endpointSpiffeId: orInvalid(() => SpiffeId.parse(endpointSpiffeId)),
      }));
    }
    case undefined:
      throw new IssuerError('invalid-argument', 'unsupported bundle endpoint profile type: <nil>');
  }
};
