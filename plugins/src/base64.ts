/** The bytes of a standard, padded base64 text as Go's JSON has it; undefined for any other value or spelling. */
export function bytesFromBase64(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64');
  // Node's decoder forgives everything; only the canonical spelling comes out again.
  return bytes.toString('base64') === text ? bytes : undefined;
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
