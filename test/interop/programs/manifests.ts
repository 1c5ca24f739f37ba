// The folder of manifests that a controller manager without Kubernetes reads.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface StaticEntry {
  readonly spiffeID: string;
  readonly parentID: string;
  readonly selectors: readonly string[];
  readonly federatesWith?: readonly string[];
  /** As Go writes durations. */
  readonly x509SVIDTTL?: string;
  readonly jwtSVIDTTL?: string;
  readonly dnsNames?: readonly string[];
  readonly hint?: string;
  readonly admin?: boolean;
  readonly downstream?: boolean;
  readonly storeSVID?: boolean;
}

export interface FederatedDomain {
  readonly trustDomain: string;
  readonly bundleEndpointURL: string;
  readonly bundleEndpointProfile: { readonly type: 'https_spiffe' | 'https_web'; readonly endpointSPIFFEID?: string };
  readonly trustDomainBundle?: string;
}

export class Manifests {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async create(dir: string): Promise<Manifests> {
    await mkdir(join(dir, '..'), { recursive: true });
    await mkdir(dir, { recursive: true });
    return new Manifests(dir);
  }

  entry(name: string, spec: StaticEntry): Promise<void> {
    return this.#write('ClusterStaticEntry', name, spec);
  }

  domain(name: string, spec: FederatedDomain): Promise<void> {
    return this.#write('ClusterFederatedTrustDomain', name, spec);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.dir, `${name}.yaml`));
  }

  /** At once: half a manifest would stop the whole reconciliation. JSON is YAML. */
  async #write(kind: string, name: string, spec: object): Promise<void> {
    const manifest = { apiVersion: 'spire.spiffe.io/v1alpha1', kind, metadata: { name }, spec };
    const beside = join(this.dir, '..', `${name}.tmp`);
    await writeFile(beside, JSON.stringify(manifest));
    await rename(beside, join(this.dir, `${name}.yaml`));
  }
}
