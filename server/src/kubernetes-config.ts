import { resolve } from 'node:path';
import { type ClusterNames, PARENT_ID_TEMPLATE, Template } from '@steeple/core';
import type { TrustDomain } from '@steeple/spiffe';
import type { LeaseSettings } from './app/registrar/lease.ts';
import type { RegistrarSettings } from './app/registrar/registrar.ts';
import type { KubernetesFile } from './kubernetes-schema.ts';

/** What a server does in a cluster. */
export interface KubernetesConfig {
  /** Undefined: as the pod that the server runs in. */
  readonly kubeconfig: string | undefined;
  readonly cluster: ClusterNames;
  /** What agents of the cluster are called. */
  readonly parent: Template;
  /** Undefined: no other server works for the cluster with this datastore. */
  readonly lease: LeaseSettings | undefined;
  readonly registrar: RegistrarSettings | undefined;
  readonly signerName: string | undefined;
}

export const kubernetesConfig = (
  file: KubernetesFile | undefined,
  trustDomain: TrustDomain,
): KubernetesConfig | undefined => {
  if (file === undefined) return undefined;
  const { cluster_name: clusterName, cluster_domain: clusterDomain, registrar } = file;
  const cluster = { trustDomain: trustDomain.name, clusterName, clusterDomain };
  const parent = registrar?.parent_id_template ?? new Template('parent_id_template', PARENT_ID_TEMPLATE);
  return {
    kubeconfig: file.kube_config_file === undefined ? undefined : resolve(file.kube_config_file),
    cluster,
    parent,
    lease: file.lease,
    signerName: file.pod_certificates?.signer_name,
    registrar: registrar && {
      cluster,
      parent,
      className: registrar.class_name ?? '',
      watchClassless: registrar.watch_classless ?? registrar.class_name === undefined,
      isIgnored: (namespace) => registrar.ignore_namespaces.some((one) => one.test(namespace)),
      // A point would end it.
      entryIdPrefix: registrar.entry_id_prefix ?? `k8s-${clusterName.replaceAll('.', '_')}`,
    },
  };
};
