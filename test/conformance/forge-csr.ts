import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { der } from '@steeple/test-kit';

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** A request (PKCS#10) for a URI that also asks to be a CA and to sign certificates. */
export function greedyCsr(uri: string, key: KeyObject): Uint8Array<ArrayBuffer> {
  const extension = (id: string, value: Uint8Array) => der.sequence(der.oid(id), der.boolean(true), der.octets(value));
  const extensions = der.sequence(
    extension('2.5.29.17', der.sequence(der.der(0x86, Buffer.from(uri)))),
    extension('2.5.29.19', der.sequence(der.boolean(true))),
    extension('2.5.29.15', der.bits(Uint8Array.of(0x86), 1)),
  );
  const attribute = der.sequence(der.oid(EXTENSION_REQUEST), der.der(0x31, extensions));
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const info = der.sequence(der.integer(Uint8Array.of(0)), der.sequence(), spki, der.der(0xa0, attribute));
  const algorithm = der.sequence(der.oid(ECDSA_WITH_SHA256));
  return new Uint8Array(der.sequence(info, algorithm, der.bits(sign('sha256', info, key))));
}
