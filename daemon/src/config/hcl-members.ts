import type { ConfigNode, Member, ObjectNode } from './config-node.ts';
import type { SourceText } from './source-text.ts';

/** A key or label as it stands in the file. */
export interface HclKey {
  readonly text: string;
  readonly offset: number;
}

/**
 * What a key stands for: one value, the labels of blocks that carry them, or several blocks of the same name.
 * `Kind "a" {}` and `Kind "b" {}` become one object with members a and b, as one writes it in JSON; `name {}` twice becomes
 * a list of two.
 */
type Slot = { readonly offset: number } & (
  | { readonly kind: 'value'; readonly node: ConfigNode }
  | { readonly kind: 'labels'; readonly members: HclMembers }
  | { readonly kind: 'repeated'; readonly nodes: ConfigNode[] }
);

/** The members of an HCL object, collected item by item. */
export class HclMembers {
  readonly #source: SourceText;
  readonly #slots = new Map<string, Slot>();

  constructor(source: SourceText) {
    this.#source = source;
  }

  /** Adds `key label… value`. Throws `ConfigError` if a plain value is set twice. */
  add([key, ...labels]: readonly [HclKey, ...HclKey[]], node: ConfigNode): void {
    const slot = this.#slots.get(key.text);
    const [label, ...more] = labels;
    if (label !== undefined) this.#labelled(key, slot).add([label, ...more], node);
    else this.#slots.set(key.text, this.#joined(key, slot, node));
  }

  finish(offset: number): ObjectNode {
    const members = [...this.#slots].map(([key, slot]): [string, Member] => [
      key,
      { keyOffset: slot.offset, value: finishSlot(slot) },
    ]);
    return { kind: 'object', members: new Map(members), offset };
  }

  #labelled(key: HclKey, slot: Slot | undefined): HclMembers {
    if (slot?.kind === 'labels') return slot.members;
    const members = new HclMembers(this.#source);
    if (slot?.kind === 'value' && slot.node.kind === 'object') members.#absorb(slot.node);
    else if (slot !== undefined) this.#setTwice(key, slot);
    this.#slots.set(key.text, { kind: 'labels', members, offset: slot?.offset ?? key.offset });
    return members;
  }

  #joined(key: HclKey, slot: Slot | undefined, node: ConfigNode): Slot {
    if (slot === undefined) return { kind: 'value', node, offset: key.offset };
    if (node.kind !== 'object') return this.#setTwice(key, slot);
    if (slot.kind === 'labels') slot.members.#absorb(node);
    if (slot.kind === 'repeated') slot.nodes.push(node);
    if (slot.kind !== 'value') return slot;
    if (slot.node.kind !== 'object') this.#setTwice(key, slot);
    return { kind: 'repeated', nodes: [slot.node, node], offset: slot.offset };
  }

  #absorb(node: ObjectNode): void {
    for (const [text, member] of node.members) this.add([{ text, offset: member.keyOffset }], member.value);
  }

  #setTwice(key: HclKey, first: Slot): never {
    const { line } = this.#source.position(first.offset);
    return this.#source.fail(`${JSON.stringify(key.text)} is set twice, first in line ${line}`, key.offset);
  }
}

function finishSlot(slot: Slot): ConfigNode {
  if (slot.kind === 'value') return slot.node;
  if (slot.kind === 'labels') return slot.members.finish(slot.offset);
  return { kind: 'list', items: slot.nodes, offset: slot.offset };
}
