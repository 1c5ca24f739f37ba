import { type Case, ensure } from '../../interop/case.ts';
import type { Cluster } from './cluster.ts';
import { type Deployed, MANIFESTS } from './deployed.ts';
import { podOf, podWhen } from './pods.ts';

const NAME = 'steeple.dev:x509-svid:example-org';
const SIGNER = 'steeple.dev/x509-svid';

/** The bundle where pods and agents find it without asking anybody. */
export function trustBundleCases(cluster: Cluster, deployed: () => Promise<Deployed>): readonly Case[] {
  return [
    {
      name: 'the ConfigMap holds the bundle, follows a new authority at once, and is healed at the start',
      run: async () => configMapFollows(await deployed()),
    },
    {
      name: 'a pod has the bundle projected from a ClusterTrustBundle',
      run: async () => trustBundleIsProjected(cluster, await deployed()),
    },
  ];
}

async function configMapFollows(deployed: Deployed): Promise<void> {
  await holdsBundle(deployed);
  const before = certificatesIn(await deployed.server('bundle', 'show'));
  await deployed.server('localauthority', 'x509', 'prepare');
  await holdsBundle(deployed);
  const after = certificatesIn(await deployed.server('bundle', 'show'));
  ensure(after.length === before.length + 1, `one authority more than ${before.length}, not ${after.length}`);

  const spoilt = JSON.stringify({ data: { 'bundle.crt': 'spoilt', other: 'kept' } });
  await deployed.kubectl('patch', 'configmap/steeple-bundle', '--type=merge', '-p', spoilt);
  await deployed.restart('statefulset/steeple-server');
  await holdsBundle(deployed);
  const other = await deployed.kubectl('get', 'configmap/steeple-bundle', '-o', 'jsonpath={.data.other}');
  ensure(other === 'kept', `the other key is left alone, not "${other}"`);
}

async function holdsBundle(deployed: Deployed): Promise<void> {
  await eventually('the bundle in the ConfigMap', async () => {
    const held = await deployed.kubectl('get', 'configmap/steeple-bundle', '-o', 'jsonpath={.data.bundle\\.crt}');
    const own = certificatesIn(await deployed.server('bundle', 'show'));
    return own.length > 0 && certificatesIn(held).join() === own.join();
  });
}

async function trustBundleIsProjected(cluster: Cluster, deployed: Deployed): Promise<void> {
  await cluster.kubectl(['apply', '-f', `${MANIFESTS}/trust-bundle.yaml`]);
  const config = await deployed.kubectl('get', 'configmap/steeple-server', '-o', 'jsonpath={.data.server\\.conf}');
  const publisher = `plugins {
      BundlePublisher "k8s_cluster_trust_bundle" {
        plugin_data { clusters = { "demo" = { name = "${NAME}", signer_name = "${SIGNER}" } } }
      }`;
  const data = { 'server.conf': config.replace('plugins {', publisher) };
  await deployed.kubectl('patch', 'configmap/steeple-server', '--type=merge', '-p', JSON.stringify({ data }));
  await deployed.restart('statefulset/steeple-server');
  const source = { signerName: SIGNER, labelSelector: {}, path: 'bundle.pem' };
  const pod = podOf('bundle-reader', {
    command: ['cat', '/bundle/bundle.pem'],
    container: { volumeMounts: [{ name: 'bundle', mountPath: '/bundle' }] },
    spec: {
      restartPolicy: 'Never',
      volumes: [{ name: 'bundle', projected: { sources: [{ clusterTrustBundle: source }] } }],
    },
  });
  try {
    await cluster.api.apply(pod);
    await podWhen(cluster.api, pod, 'has ended', ({ status }) => status.phase === 'Succeeded');
    const read = certificatesIn(await cluster.kubectl(['logs', 'bundle-reader']));
    const own = certificatesIn(await deployed.server('bundle', 'show'));
    ensure(own.length > 0 && read.toSorted().join() === own.toSorted().join(), 'the bundle in the pod is the server’s');
  } finally {
    await cluster.api.delete(pod);
  }
}

function certificatesIn(pem: string): readonly string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.map((one) => one.replaceAll(/\s/g, ''));
}

async function eventually(what: string, ask: () => Promise<boolean>, seconds = 30): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 300));
  }
}
