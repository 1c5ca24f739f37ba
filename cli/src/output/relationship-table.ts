import type { types } from '@steeple/proto/server-api';
import { type Column, details, table } from './table.ts';

type Relationship = types.FederationRelationship;

export function relationshipTable(
  relationships: readonly Relationship[],
  look: { readonly wide: boolean; readonly colour: boolean },
): string {
  if (relationships.length === 0) return 'no relationships; make one with `steeple federation create`';
  const columns: Column<Relationship>[] = [
    { title: 'TRUST DOMAIN', cell: ({ trustDomain }) => trustDomain },
    { title: 'PROFILE', cell: profileOf },
    { title: 'ENDPOINT', cell: ({ bundleEndpointUrl }) => bundleEndpointUrl },
    {
      title: 'BUNDLE',
      cell: ({ trustDomainBundle: bundle }) => (bundle ? `sequence ${bundle.sequenceNumber}` : 'none yet'),
    },
    { title: 'ENDPOINT SPIFFE ID', cell: endpointId, wide: true },
  ];
  return table(relationships, columns, look);
}

export function relationshipDetails(relationship: Relationship): string {
  const id = endpointId(relationship);
  return details([
    ['trust domain', relationship.trustDomain],
    ['endpoint', relationship.bundleEndpointUrl],
    ['profile', profileOf(relationship)],
    ...(id === '' ? [] : [['endpoint SPIFFE ID', id] as const]),
  ]);
}

function profileOf({ bundleEndpointProfile: { case: kind } }: Relationship): string {
  return kind === 'httpsSpiffe' ? 'https_spiffe' : kind === 'httpsWeb' ? 'https_web' : '-';
}

function endpointId({ bundleEndpointProfile: profile }: Relationship): string {
  return profile.case === 'httpsSpiffe' ? profile.value.endpointSpiffeId : '';
}
