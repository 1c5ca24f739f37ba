// The kubelet asks our signer for a pod's certificate: no agent is involved.
import { BundleSet, parseCertificatesPem, TrustBundle, TrustDomain, verifyX509Svid } from '@steeple/client';
import { type Case, ensure } from '../../interop/case.ts';
import { eventually } from '../../interop/spire/checks.ts';
import type { KubernetesObject } from './api-client.ts';
import type { Cluster } from './cluster.ts';
import { createPod, podOf } from './pods.ts';
import { type RegistrarUnit, registration } from './registrar.ts';

const SIGNER = 'steeple.dev/x509-svid';

export function podCertificateCases(cluster: Cluster, registrar: () => Promise<RegistrarUnit>): readonly Case[] {
  return [
    {
      name: 'pod certificates: a pod gets its X509-SVID from the kubelet, by the entry that the registrar made, and the bundle beside it',
      run: async () => granted(await registrar(), cluster),
    },
    {
      name: 'pod certificates: what cannot be granted is denied with the reason',
      run: async () => denied(await registrar(), cluster),
    },
  ];
}

const podWithSvid = (name: string): KubernetesObject => {
  const source = {
    signerName: SIGNER,
    keyType: 'ECDSAP256',
    credentialBundlePath: 'svid.pem',
    maxExpirationSeconds: 3600,
  };
  const bundle = { signerName: SIGNER, labelSelector: {}, path: 'bundle.pem' };
  return podOf(name, {
    labels: { svid: name },
    container: { volumeMounts: [{ name: 'svid', mountPath: '/svid' }] },
    spec: {
      volumes: [{ name: 'svid', projected: { sources: [{ podCertificate: source }, { clusterTrustBundle: bundle }] } }],
    },
  });
};

const identity = (name: string, ttl: string): KubernetesObject =>
  registration('ClusterSPIFFEID', name, {
    spiffeIDTemplate: 'spiffe://{{ .TrustDomain }}/pod/{{ .PodMeta.Name }}',
    podSelector: { matchLabels: { svid: name } },
    workloadSelectorTemplates: ['k8s:ns:{{ .PodMeta.Namespace }}', 'k8s:pod-label:svid:{{ .PodMeta.Labels.svid }}'],
    dnsNameTemplates: ['{{ .PodMeta.Name }}.example.org'],
    ttl,
  });

async function granted({ server }: RegistrarUnit, cluster: Cluster): Promise<void> {
  await cluster.api.apply(identity('served', '2h'));
  const pod = await createPod(cluster.api, podWithSvid('served'), 15).catch((error: Error) => {
    throw new Error(`${error.message}\n${server.process.tail(15)}`);
  });
  const read = (name: string) => cluster.kubectl(['exec', 'served', '--', 'cat', `/svid/${name}`]);
  const credentials = await read('svid.pem');
  ensure(credentials.includes('PRIVATE KEY'), 'the key is beside it');
  const chain = parseCertificatesPem(credentials.slice(credentials.indexOf('-----BEGIN CERTIFICATE')));
  const roots = parseCertificatesPem(await read('bundle.pem'));
  const trust = TrustBundle.of(TrustDomain.parse(server.trustDomain.name), {
    x509Authorities: roots.map((certificate) => ({ certificate, tainted: false })),
  });
  const { id } = verifyX509Svid(chain, BundleSet.of(trust), { now: Date.now() / 1000 });
  ensure(id.toString() === server.id('/pod/served'), `the identity ${id.toString()}`);
  const [leaf] = chain;
  ensure(leaf?.dnsSans.join() === 'served.example.org', `the DNS names ${leaf?.dnsSans}`);
  ensure(leaf.notAfter - leaf.notBefore === 3600, `as long as was asked for: ${leaf.notAfter - leaf.notBefore} s`);
  await cluster.api.delete(pod);
}

interface Asked {
  readonly spec: { readonly podName: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  };
}

async function denied(_: RegistrarUnit, cluster: Cluster): Promise<void> {
  await cluster.api.apply(identity('hasty', '10m'));
  const pod = podWithSvid('hasty');
  await cluster.api.apply(pod);
  const path = '/apis/certificates.k8s.io/v1alpha1/namespaces/default/podcertificaterequests';
  const condition = await eventually(
    'the denial',
    async () => {
      const { items } = await cluster.api.call<{ items: Asked[] }>('GET', path);
      const asked = items.find(({ spec }) => spec.podName === 'hasty');
      return asked?.status?.conditions?.[0];
    },
    30,
  );
  ensure(condition.type === 'Denied' && condition.reason === 'LifetimeTooShort', JSON.stringify(condition));
  ensure(condition.message.includes('less than an hour'), condition.message);
  await cluster.api.delete(pod);
}
