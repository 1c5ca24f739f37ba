import type { DerElement } from '../der/reader.ts';
import { readNamedBits } from '../der/values.ts';

/** The key usage extension (RFC 5280 section 4.2.1.3). */
export interface KeyUsage {
  readonly critical: boolean;
  readonly digitalSignature: boolean;
  readonly contentCommitment: boolean;
  readonly keyEncipherment: boolean;
  readonly dataEncipherment: boolean;
  readonly keyAgreement: boolean;
  readonly keyCertSign: boolean;
  readonly crlSign: boolean;
}

/** @throws SpiffeError `malformed-der` */
export function readKeyUsage(bitString: DerElement, critical: boolean): KeyUsage {
  const has = readNamedBits(bitString);
  return {
    critical,
    digitalSignature: has(0),
    contentCommitment: has(1),
    keyEncipherment: has(2),
    dataEncipherment: has(3),
    keyAgreement: has(4),
    keyCertSign: has(5),
    crlSign: has(6),
  };
}
