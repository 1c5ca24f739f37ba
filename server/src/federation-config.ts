import { resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from '@steeple/daemon';
import { type ConfigDocument, problemAt } from '@steeple/daemon/config';
import type { TrustDomain } from '@steeple/spiffe';
import type { FollowedRelationship } from './app/federation/bundle-updater.ts';
import type { FirstBundleSource } from './app/federation/first-bundle.ts';
import type { BundleEndpointSettings } from './endpoints/bundle-endpoint.ts';
import { type FederationFile, federatedTrustDomain, type RelationshipBlock } from './federation-schema.ts';

/** What a server publishes, and whom it follows by its configuration. */
export interface FederationConfig {
  /** Undefined: the bundle is not published. */
  readonly bundleEndpoint: BundleEndpointSettings | undefined;
  readonly relationships: readonly FollowedRelationship[];
}

/** @throws {ConfigError} for labels that name no trust domain, the own one, or one twice */
export const federationConfig = (
  file: FederationFile | undefined,
  own: TrustDomain,
  document: ConfigDocument,
): FederationConfig => {
  const problems: ConfigProblem[] = [];
  const relationships: FollowedRelationship[] = [];
  const seen = new Set<string>();
  for (const [label, blocks] of Object.entries(file?.federates_with ?? {})) {
    const refuse = (message: string): void =>
      void problems.push(problemAt(document, ['server', 'federation', 'federates_with', label], message));
    const trustDomain = federatedTrustDomain(label);
    const [block] = blocks;
    if (trustDomain === undefined || block === undefined) refuse(`"${label}" is not the name of a trust domain`);
    else if (trustDomain.equals(own)) refuse('the server cannot federate with its own trust domain');
    else if (blocks.length > 1 || seen.has(trustDomain.name)) refuse(`"${label}" stands here twice`);
    else relationships.push(relationshipOf(trustDomain, block));
    if (trustDomain !== undefined) seen.add(trustDomain.name);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { bundleEndpoint: endpointOf(file?.bundle_endpoint), relationships };
};

const relationshipOf = (trustDomain: TrustDomain, block: RelationshipBlock): FollowedRelationship => {
  const { https_spiffe: spiffe } = block.bundle_endpoint_profile;
  return {
    trustDomain,
    bundleEndpointUrl: block.bundle_endpoint_url,
    profile:
      spiffe === undefined
        ? { kind: 'https_web' }
        : { kind: 'https_spiffe', endpointSpiffeId: spiffe.endpoint_spiffe_id },
    first: firstOf(block),
  };
};

const firstOf = (block: RelationshipBlock): FirstBundleSource | undefined => {
  const { trust_domain_bundle_path: path, trust_domain_bundle_url: url, trust_domain_bundle_pin: sha256 } = block;
  if (path !== undefined) return { kind: 'file', path: resolve(path), format: block.trust_domain_bundle_format };
  if (url !== undefined) return { kind: 'url', url };
  return sha256 === undefined ? undefined : { kind: 'pin', sha256 };
};

const endpointOf = (block: FederationFile['bundle_endpoint']): BundleEndpointSettings | undefined => {
  if (block === undefined) return undefined;
  const { https_web: web } = block.profile;
  const { address, port, refresh_hint: refreshHint } = block;
  const files = web?.serving_cert_file;
  return {
    address,
    port,
    refreshHint,
    identity:
      files !== undefined
        ? {
            kind: 'files',
            certFile: resolve(files.cert_file_path),
            keyFile: resolve(files.key_file_path),
            interval: files.file_sync_interval,
          }
        : web?.acme !== undefined
          ? {
              kind: 'acme',
              directoryUrl: web.acme.directory_url,
              domainName: web.acme.domain_name,
              email: web.acme.email,
              tosAccepted: web.acme.tos_accepted,
            }
          : { kind: 'svid' },
  };
};
