import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podData } from './kubernetes-types.ts';
import { Template } from './template.ts';

const WORDS =
  '{{ }} {{- -}} . .PodMeta .Name .Labels "a" ` " \\ | ( ) := $ if else end with range index printf eq len default 1 - /* */ x %s';
const unit = fc.constantFrom(' ', '\n', ...WORDS.split(' '));
const data = podData(
  { trustDomain: 'example.org', clusterName: 'c', clusterDomain: 'd' },
  { metadata: { name: 'n' } },
  { metadata: { name: 'p', labels: { a: 'b' } }, spec: null },
);

describe('templates', () => {
  it('are rendered or refused with name and position, whatever their text is', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), (parts) => {
        try {
          expect(typeof new Template('t', parts.join('')).render(data)).toBe('string');
        } catch (error) {
          expect((error as Error).message).toMatch(/^template t at [0-9]+:[0-9]+: \S/);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('copy what is no action as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.includes('{{'));
        expect(new Template('t', text).render(data)).toBe(text);
      }),
    );
  });
});
