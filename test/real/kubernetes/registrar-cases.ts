import { formatBundleDocument } from '@steeple/client';
import type { types } from '@steeple/proto/server-api';
import { TestTrustDomain } from '@steeple/test-kit';
import { type Case, ensure } from '../../interop/case.ts';
import { eventually } from '../../interop/spire/checks.ts';
import type { KubernetesObject } from './api-client.ts';
import type { Cluster } from './cluster.ts';
import { podCertificateCases } from './pod-certificate-cases.ts';
import { createPod, deploymentOf, podOf, podsOf } from './pods.ts';
import { RegistrarUnit, registration } from './registrar.ts';
import { sameAsControllerManager } from './rendering-case.ts';

const NAMESPACE = 'registered';

/** Pods and objects of the cluster become entries, and nothing else changes. `cleanUp` ends what the cases share. */
export function registrarCases(cluster: Cluster, cleanUp: AsyncDisposableStack): readonly Case[] {
  let started: Promise<RegistrarUnit> | undefined;
  const registrar = (): Promise<RegistrarUnit> => {
    started ??= RegistrarUnit.start(cluster).then((each) => cleanUp.use(each));
    return started;
  };
  const named = (name: string, run: (unit: RegistrarUnit, cluster: Cluster) => Promise<void>): Case => ({
    name: `registrar: ${name}`,
    run: async () => run(await registrar(), cluster),
  });
  return [
    named('a ClusterSPIFFEID registers the pods of a Deployment, and tells how many', deployment),
    named('an entry goes with its pod and with its label, and comes with them', comingAndGoing),
    named('a slip in an object takes nothing away, and is told in the log', slip),
    named('a ClusterStaticEntry is an entry; what others made stays as it is', staticEntry),
    named('a ClusterFederatedTrustDomain is a relationship with its bundle', federated),
    named('a server that was away makes good what it missed', restarted),
    named('makes of a cluster what spire-controller-manager makes of it', sameAsControllerManager),
    ...podCertificateCases(cluster, registrar),
  ];
}

const web = registration('ClusterSPIFFEID', 'web', {
  spiffeIDTemplate:
    'spiffe://{{ .TrustDomain }}/{{ .ClusterName }}/{{ .PodMeta.Namespace }}/{{ index .PodMeta.Labels "app" }}/{{ .PodMeta.Name }}',
  podSelector: { matchLabels: { app: 'web' } },
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } },
  dnsNameTemplates: ['{{ .PodMeta.Name | lower }}.example.org'],
  workloadSelectorTemplates: ['k8s:sa:{{ .PodSpec.ServiceAccountName }}'],
  autoPopulateDNSNames: true,
  ttl: '1h30m',
  hint: 'web',
});
const PATHS = `/real/${NAMESPACE}/web/`;
const pod = podOf('web', { namespace: NAMESPACE, labels: { app: 'web' } });
const webs = deploymentOf(pod, 3);

async function deployment(unit: RegistrarUnit, { api, nodeName }: Cluster): Promise<void> {
  const service = { ports: [{ port: 80 }], selector: { app: 'web' } };
  await api.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'shop', namespace: NAMESPACE }, spec: service },
    web,
    webs,
  );
  const pods = await podsOf(api, webs);
  const node = await api.get({ apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } });
  const isWhole = (entry: types.Entry) => entry.dnsNames.length === 5;
  const found = await unit.until('three entries', PATHS, (all) => all.length === 3 && all.every(isWhole));
  for (const { metadata } of pods) {
    const entry = found.find(({ spiffeId }) => spiffeId?.path === `${PATHS}${metadata.name}`);
    const { parentId, selectors = [], dnsNames, x509SvidTtl, hint, id = '' } = entry ?? {};
    const parent = `spiffe://${parentId?.trustDomain}${parentId?.path}`;
    ensure(parent === unit.agentId(node.metadata.uid ?? ''), `the parent ${parent}`);
    const texts = selectors.map(({ type, value }) => `${type}:${value}`).toSorted();
    ensure(texts.join() === `k8s:pod-uid:${metadata.uid},k8s:sa:default`, `the selectors ${texts}`);
    const services = ['shop', `shop.${NAMESPACE}`, `shop.${NAMESPACE}.svc`, `shop.${NAMESPACE}.svc.cluster.local`];
    const names = [`${metadata.name}.example.org`, ...services];
    ensure(dnsNames?.toSorted().join() === names.toSorted().join(), `the DNS names ${dnsNames}`);
    ensure(x509SvidTtl === 5400 && hint === 'web' && id.startsWith('k8s-real.'), `${x509SvidTtl} ${hint} ${id}`);
  }
  const all = { namespacesSelected: 1, podsSelected: 3, entriesToSet: 3, entryFailures: 0, podEntryRenderFailures: 0 };
  await statusOf(api, web, ({ stats }) => Object.entries(all).every(([name, count]) => stats?.[name] === count));
}

interface Status {
  readonly stats?: Readonly<Record<string, number>>;
  readonly set?: boolean;
  readonly rendered?: boolean;
}

const statusOf = (
  api: Cluster['api'],
  object: KubernetesObject,
  wanted: (status: Status) => boolean,
): Promise<unknown> => {
  let last: Status = {};
  const look = async () => {
    last = ((await api.get(object))['status'] ?? {}) as Status;
    return wanted(last) || undefined;
  };
  return eventually(`the status of ${object.metadata.name}`, look, 20).catch((error: Error) => {
    throw new Error(`${error.message}; it is ${JSON.stringify(last)}`);
  });
};

async function comingAndGoing(unit: RegistrarUnit, { api }: Cluster): Promise<void> {
  const [first, second] = await podsOf(api, webs);
  if (first === undefined || second === undefined) throw new Error('there are no pods');
  await api.delete(podNamed(first.metadata.name));
  const isGone = (all: readonly types.Entry[]) => all.every((one) => !hasPod(one, first.metadata.uid));
  await unit.until(
    'the entry of a deleted pod goes, and its heir has one',
    PATHS,
    (all) => isGone(all) && all.length === 3,
  );

  const alone = podOf('alone', { namespace: NAMESPACE, labels: { app: 'none' } });
  const { metadata } = await createPod(api, alone);
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/alone`;
  const label = (app: string) =>
    api.call('PATCH', path, { metadata: { labels: { app } } }, 'application/merge-patch+json');
  await label('web');
  await unit.until('the label makes an entry', PATHS, (all) => all.some((one) => hasPod(one, metadata.uid)));
  await label('none');
  await unit.until('without it there is none', PATHS, (all) => all.every((one) => !hasPod(one, metadata.uid)));
  await api.delete(alone);
}

const podNamed = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: NAMESPACE },
});

const hasPod = ({ selectors }: types.Entry, uid: string | undefined): boolean =>
  selectors.some(({ value }) => value === `pod-uid:${uid}`);

async function slip(unit: RegistrarUnit, { api }: Cluster): Promise<void> {
  const before = await unit.until('three entries', PATHS, (all) => all.length === 3);
  await api.apply({ ...web, spec: { ...(web['spec'] as object), spiffeIDTemplate: '{{ .PodMeta.Nmae }' } });
  await unit.server.process.line(/Not registered.*spec\.spiffeIDTemplate template spiffeIDTemplate at 1:1/);
  const after = await unit.entries();
  ensure(
    before.every(({ id }) => after.some((one) => one.id === id)),
    'every entry is still there',
  );
  await api.apply(web);
}

const own = (unit: RegistrarUnit, path: string) =>
  registration('ClusterStaticEntry', 'static', {
    spiffeID: unit.server.id(path),
    parentID: unit.server.id('/node'),
    selectors: ['unix:uid:7'],
    x509SVIDTTL: '10m',
  });

async function staticEntry(unit: RegistrarUnit, { api }: Cluster): Promise<void> {
  const byHand = await unit.server.createEntry(unit.server.id('/static/hand'), unit.server.id('/node'), ['unix:uid:7']);
  await api.apply(own(unit, '/static/one'));
  const [made] = await unit.until('the entry', '/static/one', (all) => all.length === 1);
  ensure(made?.x509SvidTtl === 600, `its life: ${made?.x509SvidTtl}`);
  await statusOf(api, own(unit, '/static/one'), ({ set, rendered }) => set === true && rendered === true);
  // What others do to it is undone.
  await unit.server.deleteEntry(made.id);
  await unit.until('made anew', '/static/one', ([one]) => one !== undefined && one.id !== made.id);
  await api.apply(own(unit, '/static/two'));
  await unit.until(
    'changed',
    '/static/',
    (all) =>
      all
        .map(({ spiffeId }) => spiffeId?.path ?? '')
        .toSorted()
        .join() === '/static/hand,/static/two',
  );
  await api.delete(own(unit, '/static/two'));
  const left = await unit.until('gone', '/static/', (all) => all.length === 1);
  ensure(left[0]?.id === byHand.id && left[0].revisionNumber === 0n, 'the entry made by hand is as it was');
}

async function federated({ server }: RegistrarUnit, { api }: Cluster): Promise<void> {
  const other = await TestTrustDomain.create('other.test');
  const object = registration('ClusterFederatedTrustDomain', 'other', {
    trustDomain: 'other.test',
    bundleEndpointURL: 'https://localhost:1/bundle',
    bundleEndpointProfile: { type: 'https_spiffe', endpointSPIFFEID: 'spiffe://other.test/endpoint' },
    trustDomainBundle: Buffer.from(formatBundleDocument(other.bundle)).toString(),
  });
  const domains = async () =>
    (await server.api.trustDomain.listFederationRelationships({ pageSize: 100 }, { deadline: 20 }))
      .federationRelationships;
  const hand = { trustDomain: 'hand.test', bundleEndpointUrl: 'https://localhost:2/' };
  await server.api.trustDomain.batchCreateFederationRelationship(
    { federationRelationships: [{ ...hand, bundleEndpointProfile: { case: 'httpsWeb', value: {} } }] },
    { deadline: 20 },
  );
  await api.apply(object);
  await eventually('the relationship', async () => (await domains()).length === 2 || undefined, 20);
  const found = (await domains()).find(({ trustDomain }) => trustDomain === 'other.test');
  const [root] = found?.trustDomainBundle?.x509Authorities ?? [];
  ensure(Buffer.from(other.issuer.certificate.raw).equals(root?.asn1 ?? Buffer.of()), 'with its bundle');
  await api.delete(object);
  await eventually('it goes', async () => (await domains()).length === 1 || undefined, 20);
  ensure((await domains())[0]?.trustDomain === 'hand.test', 'the one made by hand stays');
}

async function restarted(unit: RegistrarUnit, { api }: Cluster): Promise<void> {
  const before = await unit.until('three entries', PATHS, (all) => all.length === 3);
  await unit.server.process.stop('SIGKILL');
  const [gone] = await podsOf(api, webs);
  if (gone === undefined) throw new Error('there are no pods');
  await api.delete(podNamed(gone.metadata.name));
  await podsOf(api, webs);
  await unit.server.start();
  const isGone = (all: readonly types.Entry[]) => all.every((one) => !hasPod(one, gone.metadata.uid));
  const after = await unit.until('another pod has its entry', PATHS, (all) => all.length === 3 && isGone(all));
  const same = after.filter(({ id, revisionNumber }) =>
    before.some((one) => one.id === id && one.revisionNumber === revisionNumber),
  );
  ensure(same.length === 2, 'the others are as they were');
}
