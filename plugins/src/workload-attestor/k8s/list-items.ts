/** Where an object stands in some bytes; `end` is behind it. */
export interface ItemRange {
  readonly start: number;
  readonly end: number;
}

const byte = (character: string): number => character.charCodeAt(0);
const [QUOTE, BACKSLASH, COLON] = [byte('"'), byte('\\'), byte(':')];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [byte('{'), byte('}'), byte('['), byte(']')];
const VALUE = /^\s*(?:\[|null)/;

/**
 * Where the `items` of a list of the Kubernetes API stand in its JSON, without making anything of them: a node's pods are
 * megabytes, of which one pod is wanted. Undefined if it is no list. What an item is made of is not checked: whoever takes
 * one out parses it.
 */
export function listItems(json: Buffer): readonly ItemRange[] | undefined {
  const ranges: ItemRange[] = [];
  let isList = false;
  let inItems = false;
  let depth = 0;
  let start = 0;
  let key = '';
  for (let at = 0; at < json.length; at++) {
    switch (json[at] ?? 0) {
      case QUOTE: {
        const from = at + 1;
        for (at++; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++;
        if (depth === 1) key = json.toString('latin1', from, at);
        break;
      }
      case COLON:
        if (depth !== 1) break;
        inItems = key === 'items';
        if (inItems && !VALUE.test(json.toString('latin1', at + 1, at + 64))) return undefined;
        isList ||= inItems;
        break;
      case OPEN:
      case OPEN_LIST:
        if (depth === 0 && (at > 0 || json[at] !== OPEN)) return undefined;
        if (depth === 2) start = at;
        depth += 1;
        break;
      case CLOSE:
      case CLOSE_LIST:
        depth -= 1;
        if (depth === 2 && inItems) ranges.push({ start, end: at + 1 });
        if (depth < 0) return undefined;
        break;
      default:
    }
  }
  return isList && depth === 0 ? ranges : undefined;
}
