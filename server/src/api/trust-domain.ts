import { type FederationRelationship, IssuerError } from '@steeple/core';
import type { Handlers } from '@steeple/proto/grpc';
import type { trustdomainV1 } from '@steeple/proto/server-api';
import type { TrustDomain } from '@steeple/spiffe';
import type { Bundles } from '../app/bundles.ts';
import type { Federation } from '../app/federation.ts';
import { auditItem } from './audit.ts';
import { attempt } from './batch.ts';
import {
  maskedRelationship,
  type RelationshipMask,
  readRelationship,
  wireRelationship,
} from './translate/federation.ts';
import { readPage } from './translate/page.ts';
import { prefixed, readTrustDomain } from './translate/spiffe-id.ts';

/** spire.api.server.trustdomain.v1.TrustDomain */
export const trustDomainHandlers = (use: {
  federation: Federation;
  bundles: Bundles;
}): Handlers<typeof trustdomainV1.TrustDomain> => {
  const wire = (relationship: FederationRelationship, mask?: RelationshipMask) =>
    wireRelationship(relationship, use.bundles.bundleFor(relationship.trustDomain), mask);
  return {
    async listFederationRelationships(request) {
      const { items, nextToken } = await use.federation.list(readPage(request));
      return { federationRelationships: items.map((one) => wire(one, request.outputMask)), nextPageToken: nextToken };
    },

    async getFederationRelationship({ trustDomain, outputMask }) {
      const found = await use.federation.get(readName(trustDomain));
      if (!found) throw new IssuerError('not-found', 'federation relationship does not exist');
      return wire(found, outputMask);
    },

    async batchCreateFederationRelationship(request, ctx) {
      const results = [];
      for (const given of request.federationRelationships) {
        const { status, value } = await attempt(ctx, () => {
          const { relationship, bundle } = readRelationship(given);
          return use.federation.create(relationship, bundle);
        });
        auditItem(ctx, { trust_domain_id: given.trustDomain }, status);
        results.push({ status, ...(value && { federationRelationship: wire(value, request.outputMask) }) });
      }
      return { results };
    },

    async batchUpdateFederationRelationship(request, ctx) {
      const results = [];
      for (const given of request.federationRelationships) {
        const { status, value } = await attempt(ctx, () => {
          const { relationship, bundle } = readRelationship(given);
          const change = (old: FederationRelationship) => maskedRelationship(old, relationship, request.inputMask);
          const withBundle = !request.inputMask || request.inputMask.trustDomainBundle ? bundle : undefined;
          return use.federation.update(relationship.trustDomain, change, withBundle);
        });
        auditItem(ctx, { trust_domain_id: given.trustDomain }, status);
        results.push({ status, ...(value && { federationRelationship: wire(value, request.outputMask) }) });
      }
      return { results };
    },

    async batchDeleteFederationRelationship({ trustDomains }, ctx) {
      const results = [];
      for (const trustDomain of trustDomains) {
        const { status, value } = await attempt(ctx, async () => {
          if (trustDomain === '') throw new IssuerError('invalid-argument', 'missing trust domain');
          const name = readName(trustDomain);
          await use.federation.delete(name);
          return name;
        });
        auditItem(ctx, { trust_domain_id: trustDomain }, status);
        results.push({ status, trustDomain: value?.name ?? trustDomain });
      }
      return { results };
    },

    async refreshBundle({ trustDomain }) {
      await use.federation.refresh(readName(trustDomain));
      return {};
    },
  };
};

const readName = (text: string): TrustDomain => prefixed('failed to parse trust domain', () => readTrustDomain(text));
