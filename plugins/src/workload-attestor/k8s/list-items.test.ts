import { array, assert, dictionary, jsonValue, nat, property, record, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listItems } from './list-items.ts';

const itemsOf = (text: string): unknown[] | undefined => {
  const json = Buffer.from(text);
  return listItems(json)?.map(({ start, end }) => JSON.parse(json.toString('utf8', start, end)));
};

describe('the items of a list', () => {
  it('are found by their brackets, whatever stands in the texts', () => {
    const items = [{ a: '}],"items":[{' }, { items: [{ b: 1 }] }, { c: '\\"' }, { ü: { d: [[]] } }, {}];
    const list = { kind: 'items', metadata: { items: [{ not: 'this' }] }, items, after: [{ nor: 'this' }] };
    expect(itemsOf(JSON.stringify(list))).toEqual(items);
    expect(itemsOf(JSON.stringify(list, null, 2))).toEqual(items);
  });

  it.each(['{"items":[]}', '{"items": null}', '{"metadata":{},"items":\n[ ]}'])('are none in %s', (text) => {
    expect(itemsOf(text)).toEqual([]);
  });

  it.each([
    '',
    'Unauthorized',
    'null',
    '[]',
    '{}',
    '"items"',
    '[{"items":[]}]',
    '{"a":{"items":[]}}',
    'x{"items":[]}',
    '{"items":{}}',
    '{"items":1}',
    '{"items":"[]"}',
    '{"items":[',
    '{"items":[{"a":1}]',
    '{"items":["a]}',
    '{"items":[]}}',
  ])('are not in %s', (text) => {
    expect(itemsOf(text)).toBeUndefined();
  });

  it('are what a parser finds, in any list of objects', () => {
    const lists = record({ before: jsonValue(), items: array(dictionary(string(), jsonValue())) });
    assert(
      property(lists, nat(3), (list, indent) => {
        const text = JSON.stringify(list, null, indent);
        expect(itemsOf(text)).toEqual((JSON.parse(text) as typeof list).items);
      }),
    );
  });

  it('never take time or fail for any bytes', () => {
    assert(property(uint8Array({ maxLength: 200 }), (bytes) => void listItems(Buffer.from(bytes))));
  });
});
