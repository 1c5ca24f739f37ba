// Hand-made HTTP/2: what no client library of ours would send.

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const settings = frame(4, 0, 0, Buffer.alloc(0));

/** A string literal without Huffman code. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

/** A string literal of bytes that are in Huffman code already. */
export function coded(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  return Buffer.concat([integer(bytes.length, 7, 0x80), bytes]);
}

export function integer(value: number, prefix: number, flags: number): Buffer {
  const mask = (1 << prefix) - 1;
  if (value < mask) return Buffer.from([flags | value]);
  const out = [flags | mask];
  let rest = value - mask;
  for (; rest >= 128; rest >>= 7) out.push((rest & 127) | 128);
  return Buffer.from([...out, rest]);
}

/** A literal field that is added to the dynamic table. */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

/** `:authority` by its static index, the usual form. */
export function authority(value: string): Buffer {
  return Buffer.concat([Buffer.from([0x41]), text(value)]);
}

/** The header block of a gRPC call; `authorityField` comes in its usual place. */
export function callHeaders(path: string, authorityField: Uint8Array): Buffer {
  const te = [field('content-type', 'application/grpc'), field('te', 'trailers')];
  // 0x83 and 0x86: `:method POST`, `:scheme http`.
  return Buffer.concat([Buffer.from([0x83, 0x86]), field(':path', path), authorityField, ...te]);
}

/** An empty request message. */
export function emptyMessage(stream: number): Buffer {
  return frame(0, 1, stream, Buffer.alloc(5));
}
