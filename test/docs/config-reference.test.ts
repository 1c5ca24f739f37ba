import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { referenceOf } from '../../scripts/config-reference/reference.ts';
import { configReference } from '../../scripts/config-reference.ts';

describe('docs/config.md', () => {
  it('is what the schemas and their words give: node scripts/config-reference.ts', () => {
    const { markdown, problems } = configReference();
    expect(problems).toEqual([]);
    expect(readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8')).toBe(markdown);
  });

  it('would miss no key without words, and no words without a key', () => {
    const schema = z.strictObject({
      server: z.strictObject({ known: z.string(), unknown: z.string().optional() }),
      plugins: z.strictObject({}).optional(),
    });
    const words = { server: 'x', plugins: 'x', 'server.known': 'x', 'server.gone': 'x' };
    expect(referenceOf({ file: 'a.conf', schema, words, kinds: {} }).problems).toEqual([
      'a.conf: server.unknown has no words',
      'a.conf: there is no key server.gone',
    ]);
  });
});
