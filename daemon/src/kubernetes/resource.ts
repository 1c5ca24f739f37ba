/** A kind of object, as the API addresses it. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower case, such as `configmaps`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** One object of a kind. */
export interface ObjectRef {
  readonly name: string;
  /** Needed exactly for kinds that are namespaced. */
  readonly namespace?: string | undefined;
  /** Such as `status`. */
  readonly subresource?: string | undefined;
}

/** All objects of a kind, or those of one namespace. */
export interface Scope {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string | null;
  /** Set: the object is being deleted. */
  readonly deletionTimestamp?: string;
  readonly [field: string]: unknown;
}

/** What all objects have; everything beyond `metadata` is unchecked. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export const CONFIG_MAPS: ResourceType = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
export const NODES: ResourceType = { group: '', version: 'v1', plural: 'nodes', namespaced: false };
export const PODS: ResourceType = { group: '', version: 'v1', plural: 'pods', namespaced: true };

/** The path of a kind's objects; without a namespace those of all namespaces. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? ['api', type.version] : ['apis', type.group, type.version];
  const place = namespace === undefined ? [] : ['namespaces', namespace];
  if (place.length > 0 && !type.namespaced) throw new TypeError(`${type.plural} have no namespace`);
  return `/${[...root, ...place, type.plural].map(segment).join('/')}`;
}

export function objectPath(type: ResourceType, ref: ObjectRef): string {
  if (type.namespaced && ref.namespace === undefined) throw new TypeError(`${type.plural} need a namespace`);
  const rest = [ref.name, ...(ref.subresource === undefined ? [] : [ref.subresource])];
  return `${collectionPath(type, ref.namespace)}/${rest.map(segment).join('/')}`;
}

/** Names come from strangers: one must not reach into another path. */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..') throw new TypeError('a name in a path may not be empty or dots');
  return encodeURIComponent(text);
}
