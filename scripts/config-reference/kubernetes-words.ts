import type { WordList } from './words.ts';

/** Of the block `kubernetes`, which SPIRE has in programs beside its server. */
export const kubernetesWords: WordList = {
  kubernetes: 'What this server does in a Kubernetes cluster. Not in SPIRE.',
  'kubernetes.cluster_name': 'Name of the cluster: in the IDs of agents, in templates, in the IDs of entries.',
  'kubernetes.cluster_domain': "The cluster's DNS domain, for templates and `autoPopulateDNSNames`.",
  'kubernetes.kube_config_file': {
    means: 'How the API is reached.',
    by: 'the service account of the pod that the server runs in',
  },
  'kubernetes.lease': {
    means: 'A Lease object, of which one of several servers with the same datastore is the holder; that one works.',
    by: 'this server works',
  },
  'kubernetes.lease.namespace': 'Its namespace, where the server may get, create and update Leases.',
  'kubernetes.lease.name': 'Its name.',
  'kubernetes.registrar':
    'Register pods as ClusterSPIFFEID, ClusterStaticEntry and ClusterFederatedTrustDomain objects say.',
  'kubernetes.registrar.class_name': { means: 'Heed only objects of this class.', by: 'those without a class' },
  'kubernetes.registrar.watch_classless': {
    means: 'Heed objects without a class too.',
    by: '`true` without `class_name`, else `false`',
  },
  'kubernetes.registrar.ignore_namespaces': {
    means: 'Namespaces whose pods are not registered: regular expressions that match anywhere in the name.',
    by: '`["kube-system", "kube-public", "spire-system"]`',
  },
  'kubernetes.registrar.parent_id_template': {
    means: 'Template of the ID of the agent on a node; it sees the node, not the pod.',
    by: "the ID of k8s_psat's agents",
  },
  'kubernetes.registrar.entry_id_prefix': {
    means: 'What the IDs of its entries begin with, before a point. Only such entries are ever changed or removed.',
    by: '`k8s-` and the name of the cluster',
  },
  'kubernetes.pod_certificates':
    'Sign PodCertificateRequest objects: pods get their X509-SVID from the kubelet, without the socket of an agent.',
  'kubernetes.pod_certificates.signer_name': 'The `signerName` that pods ask for.',
};
