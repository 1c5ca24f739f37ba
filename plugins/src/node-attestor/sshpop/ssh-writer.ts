/** A `string` of RFC 4251 section 5: the length, then the bytes. */
export function sshString(content: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(content as Uint8Array);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A positive `mpint` from big-endian bytes. */
export function sshPositive(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0);
  const significant = first < 0 ? new Uint8Array() : number.subarray(first);
  return sshString((significant[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), significant]) : significant);
}
