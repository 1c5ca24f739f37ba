import { create } from '@bufbuild/protobuf';
import type { ClusterFederatedTrustDomain, EntryDraft } from '@steeple/core';
import { types } from '@steeple/proto/server-api';
import type { SpiffeId } from '@steeple/spiffe';
import { wireBundle } from '../relationship-flags.ts';

const wireId = ({ trustDomain, path }: SpiffeId) => ({ trustDomain: trustDomain.name, path });

/** An entry as a message, under the ID given. */
export const wireEntry = (draft: EntryDraft, id: string): types.Entry =>
  create(types.EntrySchema, {
    id,
    spiffeId: wireId(draft.spiffeId),
    parentId: wireId(draft.parentId),
    selectors: draft.selectors.map(({ type, value }) => ({ type, value })),
    x509SvidTtl: draft.x509SvidTtl,
    jwtSvidTtl: draft.jwtSvidTtl,
    federatesWith: [...draft.federatesWith],
    dnsNames: [...draft.dnsNames],
    hint: draft.hint,
    admin: draft.admin,
    downstream: draft.downstream,
    storeSvid: draft.storeSvid,
  });

/** A relationship as a message, with the bundle that the object may hold. */
export const wireRelationship = ({
  relationship: { trustDomain, bundleEndpointUrl, profile },
  bundle,
}: ClusterFederatedTrustDomain): types.FederationRelationship =>
  create(types.FederationRelationshipSchema, {
    trustDomain: trustDomain.name,
    bundleEndpointUrl,
    bundleEndpointProfile:
      profile.kind === 'https_web'
        ? { case: 'httpsWeb', value: {} }
        : { case: 'httpsSpiffe', value: { endpointSpiffeId: profile.endpointSpiffeId.toString() } },
    ...(bundle && { trustDomainBundle: wireBundle(bundle) }),
  });
