// What the registrar makes of a cluster, beside what spire-controller-manager makes of the same cluster.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { types } from '@steeple/proto/server-api';
import { ensure } from '../../interop/case.ts';
import { controllerManager } from '../../interop/peers/third-party.ts';
import { allOf, seen } from '../../interop/programs/controller-manager.ts';
import type { ServerUnit } from '../../interop/spire/server-unit.ts';
import { Site } from '../../interop/spire/site.ts';
import type { Cluster } from './cluster.ts';
import { createPod, deploymentOf, podOf, podsOf } from './pods.ts';
import { CLUSTER_NAME, type RegistrarUnit, registration } from './registrar.ts';

const ID = 'spiffe://{{ .TrustDomain }}/same';
const everyone = { podSelector: { matchExpressions: [{ key: 'same', operator: 'Exists' }] } };

/** Each uses another part of the templates and of the selectors. */
const OBJECTS: readonly object[] = [
  {
    ...everyone,
    spiffeIDTemplate: `${ID}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}`,
    ttl: '1h2m3s',
  },
  {
    podSelector: { matchExpressions: [{ key: 'same', operator: 'In', values: ['a', 'b'] }] },
    namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['red'] }] },
    spiffeIDTemplate: `${ID}/{{ if eq (index .PodMeta.Labels "same") "a" }}first{{ else }}{{ .PodMeta.Name }}{{ end }}`,
    hint: 'chosen',
    jwtTtl: '90s',
    admin: true,
  },
  {
    ...everyone,
    namespaceSelector: { matchLabels: { team: 'red' } },
    spiffeIDTemplate: `${ID}/{{ with .NodeMeta }}{{ .Name }}/{{ .UID }}{{ end }}/{{ printf "%s-%d" .PodMeta.Name (len .PodSpec.Containers) }}`,
    workloadSelectorTemplates: [
      'k8s:ns:{{ .PodMeta.Namespace }}',
      'k8s:container-image:{{ (index .PodSpec.Containers 0).Image }}',
    ],
    dnsNameTemplates: ['{{ .PodMeta.Name }}.{{ .ClusterDomain }}', '{{ .PodMeta.Name }}.{{- .ClusterDomain }}'],
    autoPopulateDNSNames: true,
    downstream: true,
  },
  {
    podSelector: { matchLabels: { same: 'c' } },
    fallback: true,
    spiffeIDTemplate: `${ID}/fallback/{{ .PodMeta.UID }}`,
  },
  {
    podSelector: { matchLabels: { other: 'x' } },
    fallback: true,
    spiffeIDTemplate: `${ID}/fallback/{{ .PodMeta.UID }}`,
  },
  // Not rendered by either: there is no such label.
  { ...everyone, spiffeIDTemplate: `${ID}/{{ .PodMeta.Labels.none }}` },
];

export async function sameAsControllerManager(unit: RegistrarUnit, cluster: Cluster): Promise<void> {
  const { api } = cluster;
  const program = await controllerManager();
  const site = await Site.open(['nsenter', '-t', `${cluster.namespaces.pid}`, '-n', '--']);
  try {
    const theirs = await site.server('spire');
    const config = join(site.dir, 'config.yaml');
    await writeFile(config, JSON.stringify(configuration(theirs)));
    const env = { ...process.env, ENABLE_WEBHOOKS: 'false', KUBECONFIG: cluster.kubeconfig };
    site.start('spire-controller-manager', { path: program, args: ['-config', config] }, env);
    await setUp(cluster);
    for (const [at, spec] of OBJECTS.entries()) await api.apply(registration('ClusterSPIFFEID', `same-${at}`, spec));
    const end = Date.now() + 30_000;
    for (;;) {
      const [a, b] = [contentOf(await allOf(theirs)), contentOf(await allOf(unit.server))];
      if (a.length === EXPECTED && isDeepStrictEqual(a, b)) break;
      const shown = `theirs\n${a.join('\n')}\nours\n${b.join('\n')}`;
      ensure(Date.now() < end, `${EXPECTED} same entries:\n${shown}`);
      await new Promise((done) => setTimeout(done, 200));
    }
  } finally {
    await Promise.all(OBJECTS.map((_, at) => api.delete(registration('ClusterSPIFFEID', `same-${at}`, {}))));
    await site.close(false);
  }
}

/** Of pods a, b (in `blue`), c (in `red`, twice) and one with neither label: by objects 1, 2, 3 and 5. */
const EXPECTED = 9;

async function setUp({ api }: Cluster): Promise<void> {
  for (const team of ['blue', 'red']) {
    const metadata = { name: team, labels: { team } };
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  const service = { ports: [{ port: 80 }], selector: { same: 'c' } };
  await api.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'svc', namespace: 'red' }, spec: service });
  const c = deploymentOf(podOf('c', { namespace: 'red', labels: { same: 'c' } }), 2);
  await api.apply(c);
  for (const name of ['a', 'b']) await createPod(api, podOf(name, { namespace: 'blue', labels: { same: name } }));
  await createPod(api, podOf('x', { namespace: 'blue', labels: { other: 'x' } }));
  await podsOf(api, c);
}

/** Without what is each server's own: numbers, days, and the order of DNS names. */
const contentOf = (entries: readonly types.Entry[]): readonly string[] =>
  entries
    .filter(({ spiffeId }) => spiffeId?.path.startsWith('/same/'))
    .map((entry) => JSON.stringify({ ...seen(entry), dnsNames: entry.dnsNames.toSorted(), revision: 0 }))
    .toSorted();

const configuration = ({ trustDomain, adminSocket }: ServerUnit): object => ({
  apiVersion: 'spire.spiffe.io/v1alpha1',
  kind: 'ControllerManagerConfig',
  metadata: { name: 'config' },
  metrics: { bindAddress: '0' },
  health: { healthProbeBindAddress: '0' },
  watchClassless: true,
  ignoreNamespaces: ['^kube-'],
  clusterName: CLUSTER_NAME,
  clusterDomain: 'cluster.local',
  trustDomain: trustDomain.name,
  gcInterval: 1_000_000_000,
  reconcile: { clusterSPIFFEIDs: true, clusterFederatedTrustDomains: false, clusterStaticEntries: false },
  spireServerSocketPath: adminSocket,
});
