import type { types } from '@steeple/proto/server-api';
import type { Side } from './read-side.ts';
import type { Step } from './step.ts';

/** Bundles of other trust domains. One that is newer here is kept: the other server may have stopped following it. */
export const planBundles = (from: Side, to: Side): Step<types.Bundle>[] =>
  [...from.bundles].map(([name, wanted]) => {
    const there = to.bundles.get(name);
    if (there === undefined) return { name, wanted, action: 'create' };
    if (contentOf(there) === contentOf(wanted)) return { name, wanted, action: 'keep' };
    if (there.sequenceNumber > wanted.sequenceNumber) {
      return { name, wanted, action: 'keep', why: `newer here: ${there.sequenceNumber} > ${wanted.sequenceNumber}` };
    }
    return { name, wanted, action: 'update', why: `sequence ${there.sequenceNumber} → ${wanted.sequenceNumber}` };
  });

const contentOf = (bundle: types.Bundle): string =>
  JSON.stringify([
    bundle.x509Authorities.map(({ asn1 }) => base64(asn1)).toSorted(),
    bundle.jwtAuthorities.map(({ keyId, publicKey }) => `${keyId} ${base64(publicKey)}`).toSorted(),
    String(bundle.refreshHint),
  ]);

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export const planRelationships = (from: Side, to: Side): Step<types.FederationRelationship>[] =>
  [...from.relationships].map(([name, wanted]) => {
    const there = to.relationships.get(name);
    if (there === undefined) return { name, wanted, action: 'create' };
    const [old, next] = [endpointOf(there), endpointOf(wanted)];
    return old === next
      ? { name, wanted, action: 'keep' }
      : { name, wanted, action: 'update', why: `${old} → ${next}` };
  });

/** Where the bundle is fetched, as one text. */
const endpointOf = ({ bundleEndpointUrl, bundleEndpointProfile: profile }: types.FederationRelationship): string =>
  profile.case === 'httpsSpiffe'
    ? `${bundleEndpointUrl} (https_spiffe, ${profile.value.endpointSpiffeId})`
    : `${bundleEndpointUrl} (https_web)`;
