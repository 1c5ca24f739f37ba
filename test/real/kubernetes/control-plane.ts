// The programs that make a cluster's API, with the flags that let them live on one small machine.
import { join } from 'node:path';
import type { Process } from '../../stack/process.ts';
import type { ClusterCertificates } from './cluster-certificates.ts';
import type { NodeNamespaces } from './node-namespaces.ts';

const GATES = ['ClusterTrustBundle', 'ClusterTrustBundleProjection', 'PodCertificateRequest'];
export const FEATURE_GATES = GATES.map((gate) => `${gate}=true`).join(',');
export const ISSUER = 'https://kubernetes.default.svc.cluster.local';

export interface ClusterParts {
  readonly folder: string;
  /** Of Kubernetes' programs. */
  readonly programs: string;
  readonly namespaces: NodeNamespaces;
  readonly certificates: ClusterCertificates;
  readonly nodeName: string;
  /** Of the node; the API is at its port 443. */
  readonly address: string;
  readonly services: string;
}

/** Command line flags by name; `true` is a flag alone. */
export function flags(values: Readonly<Record<string, string | true>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, value]));
}

export function startEtcd({ folder, namespaces }: ClusterParts): Process {
  const url = 'http://127.0.0.1:2379';
  const args = flags({
    'data-dir': join(folder, 'etcd', 'data'),
    'log-level': 'warn',
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': 'http://127.0.0.1:2380',
  });
  return namespaces.start('etcd', 'etcd', args);
}

export async function issueAll({ certificates: made, address, nodeName }: ClusterParts): Promise<void> {
  const service = 'kubernetes.default.svc.cluster.local'.split('.').map((_, end, all) => all.slice(0, end + 1));
  const names = ['localhost', ...service.map((parts) => parts.join('.'))].map((name) => `DNS:${name}`);
  await made.issue('apiserver', '/CN=kube-apiserver', [`IP:${address}`, 'IP:10.96.0.1', 'IP:127.0.0.1', ...names]);
  await made.issue('apiserver-kubelet', '/O=system:masters/CN=apiserver-kubelet');
  await made.issue('admin', '/O=system:masters/CN=admin');
  await made.issue('controller-manager', '/CN=system:kube-controller-manager');
  await made.issue('scheduler', '/CN=system:kube-scheduler');
  await made.issue('proxy', '/CN=system:kube-proxy');
  const node = [`IP:${address}`, 'IP:127.0.0.1', `DNS:${nodeName}`, 'DNS:localhost'];
  await made.issue('kubelet', `/O=system:nodes/CN=system:node:${nodeName}`, node);
}

export function startApiserver({ programs, namespaces, certificates: made, address, services }: ClusterParts): Process {
  const args = flags({
    'etcd-servers': 'http://127.0.0.1:2379',
    'advertise-address': address,
    'secure-port': '443',
    'service-cluster-ip-range': services,
    'tls-cert-file': made.certificate('apiserver'),
    'tls-private-key-file': made.key('apiserver'),
    'client-ca-file': made.ca,
    'requestheader-client-ca-file': made.ca,
    'requestheader-allowed-names': 'front-proxy',
    'service-account-key-file': made.tokenKey,
    'service-account-signing-key-file': made.tokenKey,
    'service-account-issuer': ISSUER,
    'kubelet-certificate-authority': made.ca,
    'kubelet-client-certificate': made.certificate('apiserver-kubelet'),
    'kubelet-client-key': made.key('apiserver-kubelet'),
    'kubelet-preferred-address-types': 'InternalIP',
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': true,
    'feature-gates': FEATURE_GATES,
    'runtime-config': 'certificates.k8s.io/v1beta1=true,certificates.k8s.io/v1alpha1=true',
  });
  return namespaces.start('apiserver', join(programs, 'kube-apiserver'), args);
}

export function startControllerManager(parts: ClusterParts, kubeconfig: string): Process {
  const { folder, programs, namespaces, certificates: made } = parts;
  const args = flags({
    ...kubeconfigs(kubeconfig),
    'kube-api-qps': '500',
    'kube-api-burst': '1000',
    'use-service-account-credentials': true,
    'service-account-private-key-file': made.tokenKey,
    'root-ca-file': made.ca,
    'cluster-signing-cert-file': made.ca,
    'cluster-signing-key-file': made.key('ca'),
    'feature-gates': FEATURE_GATES,
    'flex-volume-plugin-dir': join(folder, 'flex'),
  });
  return namespaces.start('controller-manager', join(programs, 'kube-controller-manager'), args);
}

export function startScheduler({ programs, namespaces }: ClusterParts, kubeconfig: string): Process {
  return namespaces.start('scheduler', join(programs, 'kube-scheduler'), flags(kubeconfigs(kubeconfig)));
}

/** Of a program that is alone: it need not ask whether another one leads. */
function kubeconfigs(path: string): Readonly<Record<string, string | true>> {
  return {
    'leader-elect=false': true,
    kubeconfig: path,
    'authentication-kubeconfig': path,
    'authorization-kubeconfig': path,
  };
}
