/** Identifier octets of X.690 used in certificates. All have tag numbers below 31, so one octet is enough. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  t61String: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific tag of a primitive value, `[n] IMPLICIT`. */
export const contextPrimitive = (number: number): number => 0x80 | number;

/** Context-specific tag of a constructed value, `[n]`. */
export const contextConstructed = (number: number): number => 0xa0 | number;
