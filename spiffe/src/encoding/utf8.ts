const UTF8 = new TextEncoder();

export function encodeUtf8(text: string): Uint8Array {
  return UTF8.encode(text);
}
