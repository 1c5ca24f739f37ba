import { parseBundleDocument, SpiffeId, TrustDomain } from '@steeple/spiffe';
import { type EndpointProfile, endpointUrlProblem } from '../federation.ts';
import type { ObjectFields } from './object-fields.ts';
import type { ClusterFederatedTrustDomain } from './registration-object.ts';
import type { SpecReader } from './spec.ts';

export const readFederatedTrustDomain: SpecReader<ClusterFederatedTrustDomain> = (head, spec) => {
  const name = spec.requiredText('trustDomain');
  const trustDomain = name === '' ? undefined : spec.parsed('trustDomain', () => TrustDomain.fromIdOrName(name));
  const bundleEndpointUrl = spec.requiredText('bundleEndpointURL');
  const problem = bundleEndpointUrl === '' ? undefined : endpointUrlProblem(bundleEndpointUrl);
  if (problem !== undefined) spec.refuse('bundleEndpointURL', problem);
  const profile = readProfile(spec.object('bundleEndpointProfile'));
  const document = spec.text('trustDomainBundle');
  if (trustDomain === undefined || profile === undefined) return undefined;
  const bundle =
    document === '' ? undefined : spec.parsed('trustDomainBundle', () => parseBundleDocument(trustDomain, document));
  const relationship = { trustDomain, bundleEndpointUrl, profile };
  return { kind: 'ClusterFederatedTrustDomain', ...head, relationship, bundle };
};

const readProfile = (fields: ObjectFields): EndpointProfile | undefined => {
  const kind = fields.requiredText('type');
  const id = fields.text('endpointSPIFFEID');
  fields.noOthers();
  if (kind === 'https_web') {
    if (id !== '') fields.refuse('endpointSPIFFEID', 'does not belong to the profile https_web; remove it');
    return { kind };
  }
  if (kind === 'https_spiffe') {
    if (id === '') fields.refuse('endpointSPIFFEID', 'is missing: the profile https_spiffe needs it');
    const endpointSpiffeId = id === '' ? undefined : fields.parsed('endpointSPIFFEID', () => SpiffeId.parse(id));
    return endpointSpiffeId && { kind, endpointSpiffeId };
  }
  if (kind !== '') fields.refuse('type', 'must be https_spiffe or https_web');
  return undefined;
};
