import type { TrustBundle } from '@steeple/spiffe';
import type { EntryDraft } from '../entry.ts';
import type { FederationRelationship } from '../federation.ts';
import type { LabelSelector } from './label-selector.ts';
import type { ObjectProblem } from './object-fields.ts';
import type { Template } from './template/template.ts';

/** The group and version of the objects that spire-controller-manager made known. */
export const OBJECT_API_VERSION = 'spire.spiffe.io/v1alpha1';

/** What says who may have which identity in a cluster. Lifetimes are seconds, 0 = the server's default. */
export interface ClusterSpiffeId {
  readonly kind: 'ClusterSPIFFEID';
  readonly name: string;
  readonly className: string;
  readonly spiffeId: Template;
  readonly dnsNames: readonly Template[];
  readonly workloadSelectors: readonly Template[];
  readonly selectsNamespace: LabelSelector;
  readonly selectsPod: LabelSelector;
  readonly autoPopulateDnsNames: boolean;
  /** Only for pods that no other one without it made an entry for. */
  readonly fallback: boolean;
  /** What every entry made of it has. */
  readonly attributes: Pick<
    EntryDraft,
    'x509SvidTtl' | 'jwtSvidTtl' | 'federatesWith' | 'admin' | 'downstream' | 'hint'
  >;
}

/** An entry written out. */
export interface ClusterStaticEntry {
  readonly kind: 'ClusterStaticEntry';
  readonly name: string;
  readonly className: string;
  readonly draft: EntryDraft;
}

/** A relationship to another trust domain, perhaps with its first bundle. */
export interface ClusterFederatedTrustDomain {
  readonly kind: 'ClusterFederatedTrustDomain';
  readonly name: string;
  readonly className: string;
  readonly relationship: FederationRelationship;
  readonly bundle: TrustBundle | undefined;
}

export type RegistrationObject = ClusterSpiffeId | ClusterStaticEntry | ClusterFederatedTrustDomain;

/** An object that cannot be used, with every problem and its field. */
export class ObjectError extends Error {
  readonly problems: readonly ObjectProblem[];

  constructor(object: string, problems: readonly ObjectProblem[]) {
    super(`${object}: ${problems.map(({ path, message }) => `${path} ${message}`).join('; ')}`);
    this.name = 'ObjectError';
    this.problems = problems;
  }
}
