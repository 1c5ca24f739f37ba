import type { ServiceName } from '@steeple/core';
import type { KubernetesObject } from '@steeple/daemon/kubernetes';

/** The Services that lead to each pod, by its UID; whether it is ready does not matter. */
export function servicesByPod(slices: Iterable<KubernetesObject>): ReadonlyMap<string, readonly ServiceName[]> {
  const found = new Map<string, Map<string, ServiceName>>();
  for (const { metadata, endpoints } of slices) {
    const name = metadata.labels?.['kubernetes.io/service-name'];
    const { namespace } = metadata;
    if (name === undefined || name === '' || namespace === undefined) continue;
    for (const uid of podsIn(endpoints)) {
      const services = found.get(uid) ?? new Map<string, ServiceName>();
      services.set(name, { name, namespace });
      found.set(uid, services);
    }
  }
  return new Map([...found].map(([uid, services]) => [uid, [...services.values()]]));
}

const podsIn = (endpoints: unknown): readonly string[] =>
  (Array.isArray(endpoints) ? endpoints : []).flatMap((endpoint) => {
    const { targetRef } = (endpoint ?? {}) as { targetRef?: { kind?: unknown; uid?: unknown } };
    return targetRef?.kind === 'Pod' && typeof targetRef.uid === 'string' ? [targetRef.uid] : [];
  });
