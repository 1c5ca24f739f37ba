import { mutateBytes } from './mutate-bytes.ts';
import type { Random } from './random.ts';

/** An element whose contents are either other elements or bytes. */
export interface DerNode {
  tag: number;
  content: DerNode[] | Uint8Array;
}

const TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x82, 0x86, 0xa0, 0xa3];

/** Reads DER that is known to be good into a tree that can be changed. */
export function readTree(bytes: Uint8Array): DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    let length = first < 0x80 ? first : 0;
    for (let index = 0; index < octets; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0);
    const start = at + 2 + octets;
    const content = bytes.subarray(start, start + length);
    nodes.push({ tag, content: (tag & 0x20) === 0 ? content : readTree(content) });
    at = start + length;
  }
  return nodes;
}

/** Changes the tree in place: structure stays well-formed, meaning does not. */
export function mutateTree(nodes: DerNode[], words: readonly string[], random: Random): void {
  const lists = [nodes, ...listsBelow(nodes)].filter((list) => list.length > 0);
  if (lists.length === 0) return;
  const list = random.pick(lists);
  const at = random.below(list.length);
  const node = list[at] as DerNode;
  switch (random.below(7)) {
    case 0:
      list.splice(at, 1);
      return;
    case 1:
      list.splice(random.below(list.length + 1), 0, structuredClone(node));
      return;
    case 2:
      node.tag = random.pick(TAGS);
      return;
    case 3:
      list.splice(random.below(list.length + 1), 0, structuredClone(random.pick(random.pick(lists))));
      return;
    case 4:
      list.reverse();
      return;
    case 5:
      for (let depth = random.below(40); depth > 0; depth--) list[at] = { tag: 0x30, content: [list[at] as DerNode] };
      return;
    default:
      if (node.content instanceof Uint8Array) node.content = mutateBytes([node.content], words, random);
      else node.content = new Uint8Array();
  }
}

/** Back to bytes, every length right and in its shortest form. */
export function writeTree(nodes: readonly DerNode[]): Uint8Array {
  return Buffer.concat(
    nodes.map(({ tag, content }) => {
      const body = content instanceof Uint8Array ? content : writeTree(content);
      return Buffer.concat([Buffer.of(tag), lengthOf(body.length), body]);
    }),
  );
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.of(0x80 | octets.length, ...octets);
}

const listsBelow = (nodes: readonly DerNode[]): DerNode[][] =>
  nodes.flatMap(({ content }) => (content instanceof Uint8Array ? [] : [content, ...listsBelow(content)]));
