import type { ClusterFederatedTrustDomain } from '@steeple/core';
import type { KubernetesObject } from '@steeple/daemon/kubernetes';
import { type ClassFilter, isOfClass, type ObjectReader } from './registrations.ts';

/** The trust domains of a cluster's objects, oldest first. */
export function wantedTrustDomains(
  sources: Iterable<KubernetesObject>,
  reader: ObjectReader,
  classes: ClassFilter,
  tell: (what: string, error: Error) => void,
): {
  readonly wanted: readonly ClusterFederatedTrustDomain[];
  /** There may be more, of objects that cannot be read. */
  readonly isIncomplete: boolean;
} {
  const wanted: ClusterFederatedTrustDomain[] = [];
  let isIncomplete = false;
  for (const source of [...sources].toSorted((a, b) => ageOf(a).localeCompare(ageOf(b), 'en'))) {
    const { object, error, isRiddle } = reader.read(source);
    isIncomplete ||= isRiddle;
    if (error) tell(`ClusterFederatedTrustDomain ${source.metadata.name}`, error);
    if (object?.kind === 'ClusterFederatedTrustDomain' && isOfClass(classes, object.className)) wanted.push(object);
  }
  return { wanted, isIncomplete };
}

const ageOf = ({ metadata: { creationTimestamp, uid } }: KubernetesObject): string => `${creationTimestamp} ${uid}`;
