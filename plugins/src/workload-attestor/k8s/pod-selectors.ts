import type { Container, Pod } from './pod.ts';

/** The values of all selectors that a pod has, in SPIRE's words. */
export function podSelectors(pod: Pod): readonly string[] {
  return [
    `sa:${pod.serviceAccount}`,
    `ns:${pod.namespace}`,
    `node-name:${pod.nodeName}`,
    `pod-uid:${pod.uid}`,
    `pod-name:${pod.name}`,
    `pod-image-count:${pod.containers.length}`,
    `pod-init-image-count:${pod.initContainers.length}`,
    ...pod.containers.flatMap(imagesOf).map((image) => `pod-image:${image}`),
    ...pod.initContainers.flatMap(imagesOf).map((image) => `pod-init-image:${image}`),
    ...Object.entries(pod.labels).map(([key, value]) => `pod-label:${key}:${value}`),
    ...pod.owners.flatMap(({ kind, name, uid }) => [`pod-owner:${kind}:${name}`, `pod-owner-uid:${kind}:${uid}`]),
  ];
}

export function containerSelectors(container: Container): readonly string[] {
  return [`container-name:${container.name}`, ...imagesOf(container).map((image) => `container-image:${image}`)];
}

export function namespaceSelectors(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels).map(([key, value]) => `ns-label:${key}:${value}`);
}

/** By digest and by tag; of several tags of one image the engine tells any, so the digest is the one to rely on. */
function imagesOf({ image, imageId }: Container): readonly string[] {
  return [imageId, image];
}
