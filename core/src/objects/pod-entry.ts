import { SpiffeId } from '@steeple/spiffe';
import { draftEntry, type EntryDraft } from '../entry.ts';
import { parseSelector, type Selector } from '../selector.ts';
import type { ClusterSpiffeId } from './registration-object.ts';
import { type ClusterNames, nodeData, podData, type RawObject } from './template/kubernetes-types.ts';
import { Template } from './template/template.ts';

/** What an agent of k8s_psat on the node is called. */
export const PARENT_ID_TEMPLATE =
  'spiffe://{{ .TrustDomain }}/spire/agent/k8s_psat/{{ .ClusterName }}/{{ .NodeMeta.UID }}';

/** A Service that leads to a pod. */
export interface ServiceName {
  readonly name: string;
  readonly namespace: string;
}

export interface PodPlace {
  readonly cluster: ClusterNames;
  readonly parent: Template;
  readonly node: RawObject;
  readonly pod: RawObject & { readonly metadata: { readonly uid: string } };
  /** Of the Services that lead to it, for `autoPopulateDNSNames`. */
  readonly services: readonly ServiceName[];
}

/**
 * The entry of one pod: held to the pod by its UID, and to the node by the parent.
 *
 * @throws {Error} that names the template and what it rendered
 */
export function renderPodEntry(object: ClusterSpiffeId, place: PodPlace): EntryDraft {
  const { cluster, parent, node, pod, services } = place;
  const data = podData(cluster, node, pod);
  const names = [
    ...object.dnsNames.map((template) => template.render(data)),
    ...(object.autoPopulateDnsNames ? serviceNames(services, cluster.clusterDomain) : []),
  ];
  return draftEntry({
    ...object.attributes,
    parentId: renderParent(parent, cluster, node),
    spiffeId: toId(object.spiffeId, object.spiffeId.render(data), cluster),
    selectors: [
      { type: 'k8s', value: `pod-uid:${pod.metadata.uid}` },
      ...object.workloadSelectors.map((template) => toSelector(template, template.render(data))),
    ],
    dnsNames: [...new Set(names)],
  });
}

/** The ID of the agent on a node. @throws {Error} that names the template and what it rendered */
export const renderParent = (parent: Template, cluster: ClusterNames, node: RawObject): SpiffeId =>
  toId(parent, parent.render(nodeData(cluster, node)), cluster);

const toId = (template: Template, text: string, { trustDomain }: ClusterNames): SpiffeId => {
  const id = rendered(template, text, () => SpiffeId.parse(text));
  if (id.trustDomain.name === trustDomain) return id;
  throw new Error(
    `template ${template.name} rendered ${quoted(text)}, which is not in the trust domain ${trustDomain}`,
  );
};

const toSelector = (template: Template, text: string): Selector => rendered(template, text, () => parseSelector(text));

const rendered = <T>(template: Template, text: string, parse: () => T): T => {
  try {
    return parse();
  } catch (cause) {
    throw new Error(`template ${template.name} rendered ${quoted(text)}: ${(cause as Error).message}`, { cause });
  }
};

const quoted = (text: string): string => JSON.stringify(text.length <= 256 ? text : `${text.slice(0, 256)}…`);

const serviceNames = (services: readonly ServiceName[], clusterDomain: string): readonly string[] =>
  services
    .flatMap(({ name, namespace }) => [
      name,
      `${name}.${namespace}`,
      `${name}.${namespace}.svc`,
      ...(clusterDomain === '' ? [] : [`${name}.${namespace}.svc.${clusterDomain}`]),
    ])
    .toSorted();
