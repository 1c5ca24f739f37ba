import { readFileSync } from 'node:fs';
import { z } from 'zod';

const ROW_ID = /^[A-Z0-9]+-H?\d+$/;

const rowSchema = z.strictObject({
  id: z.string().regex(ROW_ID),
  side: z.array(z.enum(['ISS', 'AGT', 'CLI', 'VAL', 'FES', 'FEC', 'CP', 'OPS', 'SPEC'])).nonempty(),
  level: z.string(),
  title: z.string(),
  /** Why no test shows it yet. A passing test beside it is a contradiction. */
  notYet: z.string().optional(),
  /** Why no test can: the row binds other specifications or operators. */
  notTestable: z.string().optional(),
});
const standardSchema = z.strictObject({ section: z.string(), standard: z.string(), rows: z.array(rowSchema) });

/** One requirement of a standard, under the id that tests cite. */
export type Row = z.infer<typeof rowSchema>;
export type Standard = z.infer<typeof standardSchema>;

const FILES = [
  'spiffe-id',
  'x509-svid',
  'jwt-svid',
  'wit-svid',
  'trust-domain-bundle',
  'federation',
  'workload-endpoint',
  'workload-api',
] as const;

/** All requirements, by standard. */
export function readStandards(): Standard[] {
  return FILES.map((name) => {
    const text = readFileSync(new URL(`./rows/${name}.json`, import.meta.url), 'utf8');
    return standardSchema.parse(JSON.parse(text));
  });
}

/** The ids that a test's name cites: all in brackets at its beginning, as in `[X509-29] [X509-30] refuses …`. */
export function citedRows(testName: string): string[] {
  const [cited = ''] = /^(?:\[[^\]]+\] ?)*/.exec(testName) ?? [];
  return [...cited.matchAll(/\[([^\]]+)\]/g)].map(([, id = '']) => id);
}
