/** A configuration as read from any of the file forms, before it means anything. `offset` is where it stands. */
export type ConfigNode = ScalarNode | ListNode | ObjectNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly offset: number;
}

interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigNode[];
  readonly offset: number;
}

export interface ObjectNode {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, Member>;
  readonly offset: number;
}

/** A value with the place of its key. */
export interface Member {
  readonly keyOffset: number;
  readonly value: ConfigNode;
}

/** The plain value of a node. */
export function toValue(node: ConfigNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  // fromEntries defines members, so that a key `__proto__` is a key like any other.
  return Object.fromEntries([...node.members].map(([key, member]) => [key, toValue(member.value)]));
}

/**
 * Where the thing at a path stands; for a key that is missing, the nearest thing above it. A path may treat a single block
 * as a list of one, and a list of labelled blocks as an object, as the normalising helpers do.
 */
export function offsetIn(root: ConfigNode, path: readonly PropertyKey[]): number {
  let node = root;
  let offset = root.offset;
  for (const key of path) {
    const step = stepInto(node, key);
    if (step === undefined) return offset;
    ({ node, offset } = step);
  }
  return offset;
}

function stepInto(node: ConfigNode, key: PropertyKey): { node: ConfigNode; offset: number } | undefined {
  if (node.kind === 'object') {
    const member = node.members.get(String(key));
    if (member !== undefined) return { node: member.value, offset: member.keyOffset };
  }
  if (node.kind === 'list') {
    const item = typeof key === 'number' ? node.items[key] : undefined;
    if (item !== undefined) return { node: item, offset: item.offset };
    return typeof key === 'string' ? stepIntoAny(node.items, key) : undefined;
  }
  return key === 0 ? { node, offset: node.offset } : undefined;
}

function stepIntoAny(items: readonly ConfigNode[], key: string): { node: ConfigNode; offset: number } | undefined {
  return items.map((item) => (item.kind === 'object' ? stepInto(item, key) : undefined)).find((step) => step);
}
