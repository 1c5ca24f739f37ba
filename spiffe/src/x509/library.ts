/**
 * The one way to @peculiar/x509, for cold paths and as an oracle in tests. Imported when first needed: it costs 0.2 s, and
 * its container fails unless the metadata polyfill is there before it.
 */
export async function x509Library(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
