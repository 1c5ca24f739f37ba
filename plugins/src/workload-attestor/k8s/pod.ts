/** What the kubelet says of a pod, as far as selectors tell it. */
export interface Pod {
  /** For a static pod the digest of its file. */
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Empty for a static pod. */
  readonly serviceAccount: string;
  readonly nodeName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owners: readonly Owner[];
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  /** Of the containers that somebody has added to look into the pod. */
  readonly ephemeralContainerIds: readonly string[];
}

interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface Container {
  readonly name: string;
  /** Without the engine's name; empty until it has been started. */
  readonly id: string;
  /** As the engine tells it: one of the tags it has. */
  readonly image: string;
  /** With the digest. */
  readonly imageId: string;
  readonly running: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** A pod of the Kubernetes API. @throws {TypeError} naming the field */
export function podOf(value: unknown): Pod {
  const pod = objectAt(value, 'pod');
  const metadata = objectAt(pod['metadata'], 'metadata');
  const spec = objectAt(pod['spec'] ?? {}, 'spec');
  const status = objectAt(pod['status'] ?? {}, 'status');
  const uid = textAt(metadata, 'uid');
  if (uid === '') throw new TypeError('metadata.uid is empty');
  const statuses = (field: string) => listAt(status, field).map((each) => containerOf(objectAt(each, field)));
  return {
    uid,
    name: textAt(metadata, 'name'),
    namespace: textAt(metadata, 'namespace'),
    serviceAccount: textAt(spec, 'serviceAccountName'),
    nodeName: textAt(spec, 'nodeName'),
    labels: textsAt(metadata, 'labels'),
    owners: listAt(metadata, 'ownerReferences').map((each) => {
      const owner = objectAt(each, 'ownerReferences');
      return { kind: textAt(owner, 'kind'), name: textAt(owner, 'name'), uid: textAt(owner, 'uid') };
    }),
    containers: statuses('containerStatuses'),
    initContainers: statuses('initContainerStatuses'),
    ephemeralContainerIds: statuses('ephemeralContainerStatuses').map(({ id }) => id),
  };
}

function containerOf(status: Json): Container {
  const state = objectAt(status['state'] ?? {}, 'state');
  return {
    name: textAt(status, 'name'),
    // "containerd://<id>", "cri-o://<id>", "docker://<id>"
    id: textAt(status, 'containerID').replace(/^[^/]*:\/\//, ''),
    image: textAt(status, 'image'),
    imageId: textAt(status, 'imageID'),
    running: state['running'] !== undefined,
  };
}

function objectAt(value: unknown, field: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new TypeError(`${field} is not an object`);
}

/** The API leaves out what is empty, or writes null. */
function textAt(object: Json, field: string): string {
  const value = object[field] ?? '';
  if (typeof value === 'string') return value;
  throw new TypeError(`${field} is not a text`);
}

function listAt(object: Json, field: string): readonly unknown[] {
  const value = object[field] ?? [];
  if (Array.isArray(value)) return value;
  throw new TypeError(`${field} is not a list`);
}

function textsAt(object: Json, field: string): Readonly<Record<string, string>> {
  const value = objectAt(object[field] ?? {}, field);
  if (Object.values(value).every((each) => typeof each === 'string')) return value as Record<string, string>;
  throw new TypeError(`${field} has a value that is not a text`);
}
